import type { Hyperdrive } from "./hyperdrive/index.ts";
import type { DoorPorts } from "./lock.ts";
import { databaseName, localPassword } from "./settings.ts";

/** Addresses of a database behind a local Hyperdrive. */
export interface DoorUrls {
  /** For the binding HYPERDRIVE_CACHED. */
  cached: string;
  /** For the binding HYPERDRIVE_DIRECT. */
  direct: string;
  /** For tools, as the schema's owner. */
  owner: string;
}

/** A local Hyperdrive under way, with the database behind it. */
export interface Doors extends DoorUrls {
  ports: DoorPorts;
  /** What runs between them and the database. */
  hyperdrive: Hyperdrive;
  close(): Promise<void>;
}

/** The addresses at which a local Hyperdrive with these ports is reached. */
export function doorsAt(ports: DoorPorts, owner: string): DoorUrls & { ports: DoorPorts } {
  const url = (user: string, port: number) => `postgres://${user}:${localPassword}@127.0.0.1:${port}/${databaseName}`;
  return {
    ports,
    cached: url("app_cached", ports.cached),
    direct: url("app_direct", ports.direct),
    owner: url(owner, ports.origin),
  };
}
