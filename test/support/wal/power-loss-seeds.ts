import type { PowerLossOptions } from './power-loss.js'

/** Schedules that found a defect once. They are run again by every test run. */
export const POWER_LOSS_SEEDS: readonly PowerLossOptions[] = []
