import type { resumeVisitKinds } from "@repo/db";
import type { Context } from "../../../core/context.ts";
import { sign } from "../../../core/signature.ts";
import type { SlugInput } from "../input.ts";
import { visitJob } from "../jobs.ts";

/** Queues a visit; it counts once per visitor and day (UTC). The visitor is a keyed hash that changes every day. */
export async function trackVisit(ctx: Context, kind: (typeof resumeVisitKinds)[number], { slug }: SlugInput) {
  const day = new Date().toISOString().slice(0, 10);
  const visitor = await sign(
    ctx.env.AUTH_SECRET,
    "resume-visitor",
    `${day} ${ctx.ip} ${ctx.headers.get("user-agent") ?? ""}`,
  );
  await visitJob.enqueue(ctx, { kind, slug, day, visitor });
  return { queued: true };
}
