import type { PowerLossOptions } from './power-loss.js'

/**
 * Schedules that found a defect once, or a deliberate breakage that few schedules find. Every test run runs them
 * again.
 */
export const POWER_LOSS_SEEDS: readonly PowerLossOptions[] = [
  // Segments given back before the cursors that allow it are safe.
  { seed: 365, lives: 12 },
  // A full disk lets the only file be used again, and the power goes off while that is written.
  { seed: 200_044, lives: 7, withFaults: true },
  // A failed sync drops what the next process still finds in memory.
  { seed: 300_372, lives: 14, withFaults: true },
]
