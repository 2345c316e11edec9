import { DurableObject } from "cloudflare:workers";
import { eq, resume } from "@repo/db";
import { connectionOf, createDb } from "../../core/database/doors.ts";
import { rls } from "../../core/database/rls.ts";
import { type Leg, Trips } from "../../core/database/trips.ts";

interface Bindings {
  HYPERDRIVE_CACHED: Hyperdrive;
  HYPERDRIVE_DIRECT: Hyperdrive;
  READER: DurableObjectNamespace<Reader>;
}

interface Question {
  /** Shown to the database as the connection's name. */
  request: string;
  slug: string;
  userId: string;
}

/** A Durable Object that reads through both doors, with a connection of its own for each call. */
export class Reader extends DurableObject<Bindings> {
  async read({ request, slug, userId }: Question) {
    const trips = new Trips();
    const open = (binding: Hyperdrive, leg: Leg) =>
      createDb(binding, {
        leg,
        trips,
        pipeline: true,
        connectTimeoutMs: 5000,
        queryTimeoutMs: 15_000,
        applicationName: request,
        waitUntil: (promise) => this.ctx.waitUntil(promise),
      });
    const db = open(this.env.HYPERDRIVE_CACHED, "db-cached");
    const dbDirect = open(this.env.HYPERDRIVE_DIRECT, "db-direct");
    try {
      const seen = await db.select({ name: resume.name }).from(resume).where(eq(resume.slug, slug));
      const caller = { role: "authenticated", claims: { sub: userId }, readOnly: true } as const;
      const own = await rls(dbDirect, caller, (tx) => tx.select({ name: resume.name }).from(resume));
      return { seen, own, trips: { cached: trips.count("db-cached"), direct: trips.count("db-direct") } };
    } finally {
      await Promise.all([db, dbDirect].map((client) => connectionOf(client).close()));
    }
  }
}

export default {
  async fetch(request, { READER }): Promise<Response> {
    const { object, ...question } = Object.fromEntries(new URL(request.url).searchParams);
    const { request: id = "", slug = "", userId = "" } = question;
    return Response.json(await READER.getByName(object ?? "").read({ request: id, slug, userId }));
  },
} satisfies ExportedHandler<Bindings>;
