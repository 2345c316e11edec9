import { describe, expect, it } from "vitest";
import { DelayLine, Latency } from "./legs/latency.ts";
import { slices } from "./legs/slices.ts";
import { KINDS, useSettings } from "./testing/setting.ts";

describe("Latency", () => {
  it("halves a round trip, and says the same from the same seed", () => {
    expect(new Latency({ clientEdgeMs: 10 }).line("clientEdge").delay()).toBe(5);
    expect(new Latency({ clientEdgeMs: 10 }).line("edgeOrigin").delay()).toBe(0);
    const series = (seed: number) => {
      const latency = new Latency({ edgeOriginMs: 40, jitter: 0.5, seed });
      const line = latency.line("edgeOrigin");
      return Array.from({ length: 20 }, () => line.delay());
    };
    expect(series(7)).toEqual(series(7));
    expect(series(7)).not.toEqual(series(8));
    for (const ms of series(7)) expect(Math.abs(ms - 20)).toBeLessThanOrEqual(10);
    for (const wrong of [{ edgeOriginMs: -1 }, { clientEdgeMs: 1e10 }, { jitter: 1.1 }, { jitter: Number.NaN }]) {
      expect(() => new Latency(wrong)).toThrow(RangeError);
    }
  });

  it("gives a line the same deviations whatever the others carry", () => {
    const series = (others: number) => {
      const latency = new Latency({ edgeOriginMs: 40, clientEdgeMs: 10, jitter: 1 });
      const [first, second, client] = [
        latency.line("edgeOrigin"),
        latency.line("edgeOrigin"),
        latency.line("clientEdge"),
      ];
      return Array.from({ length: 20 }, () => {
        for (let at = 0; at < others; at++) for (const other of [first, client]) other.delay();
        return second.delay();
      });
    };
    expect(series(3)).toEqual(series(0));
    const latency = new Latency({ edgeOriginMs: 40, jitter: 1 });
    expect(latency.line("edgeOrigin").delay()).not.toBe(latency.line("edgeOrigin").delay());
  });
});

describe("DelayLine", () => {
  it("keeps the order whatever the delays", async () => {
    const delays = [20, 5, 0, 1];
    const line = new DelayLine(() => delays.shift() ?? 0);
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      for (const n of [1, 2, 3]) line.push(() => void seen.push(n));
      line.push(resolve);
    });
    expect(seen).toEqual([1, 2, 3]);
  });

  it("lets through at once what is not to be delayed", () => {
    let isThrough = false;
    new DelayLine(() => 0).push(() => {
      isThrough = true;
    });
    expect(isThrough).toBe(true);
  });
});

describe("slices", () => {
  it.each([0, 1, 63, 64, 65, 200_000])("of %i bytes are those bytes", (size) => {
    const bytes = Buffer.alloc(size, "abc");
    expect(Buffer.concat(slices(bytes)).equals(bytes)).toBe(true);
    expect(slices(bytes).every((slice) => slice.length > 0)).toBe(true);
  });
});

const settings = useSettings();

describe.each(KINDS)("latency on %s", (kind) => {
  it("is paid per trip on each leg: a hit spares the one to the origin", async () => {
    const hyperdrive = await settings[kind].start({ cache: {}, latency: { clientEdgeMs: 20, edgeOriginMs: 60 } });
    const time = async (door: "cached" | "direct") => {
      const client = await settings[kind].connect(hyperdrive.connectionString(door, "app"));
      await client.query("select $1::int as warm", [0]);
      const started = performance.now();
      await client.query("select $1::int as warm", [0]);
      return performance.now() - started;
    };
    expect(await time("direct")).toBeGreaterThan(79);
    const hit = await time("cached");
    expect(hit).toBeGreaterThan(19);
    expect(hit).toBeLessThan(60);
  });
});
