export { type Hyperdrive, type HyperdriveOptions, startHyperdrive } from "./hyperdrive.ts";
export type { InstrumentOptions } from "./instruments.ts";
export type { Origin } from "./origins/origin.ts";
export { createPgliteOrigin } from "./origins/pglite.ts";
export { createPostgresOrigin } from "./origins/postgres.ts";
export { type Clock, createClock } from "./watch/clock.ts";
export type { Counts, Door, DoorCounts, Stats } from "./watch/stats.ts";
