import { seededRandom } from '@millrace/runtime'
import type { Survival } from './file-content.js'

/**
 * How one loss of power treats what was not synced: it keeps all of it, none, what came before some moment
 * (a disk that writes in order), or each piece by chance (one that does not). Pieces may be torn.
 * @param oldestUnsynced stamp of the oldest change that was not synced.
 * @param newest stamp of the newest change.
 */
export function powerLoss(seed: number, oldestUnsynced: number, newest: number): Survival {
  const random = seededRandom(seed)
  const way = random()
  const chance = [0.05, 0.3, 0.5, 0.9][Math.floor(random() * 4)] ?? 0.5
  const moment = oldestUnsynced - 1 + random() * (newest - oldestUnsynced + 2)
  const keeps = (stamp: number) => {
    if (way < 0.1) return false
    if (way < 0.2) return true
    if (way < 0.4) return stamp <= moment
    return random() < chance
  }
  return {
    random,
    keeps,
    tearChance: random() < 0.5 ? 0.2 : 0,
    exposesStaleBytes: random() < 0.2,
  }
}
