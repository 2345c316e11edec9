import { resume } from "@repo/db";
import { audit } from "../../../core/audit.ts";
import type { Context } from "../../../core/context.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { notFound } from "../errors.ts";
import type { ThumbnailInput } from "../input.ts";
import { audited, liveById, summary } from "../queries.ts";

export const thumbnailPath = "/api/resumes/thumbnails";

const signatures = [
  { type: "image/png", extension: "png", matches: (hex: string) => hex.startsWith("89504e470d0a1a0a") },
  { type: "image/jpeg", extension: "jpg", matches: (hex: string) => hex.startsWith("ffd8ff") },
  { type: "image/webp", extension: "webp", matches: (hex: string) => /^52494646.{8}57454250/.test(hex) },
];

/** Object key of a thumbnail in R2: the folder of a résumé, and an unguessable name. */
export const thumbnailKey = (resumeId: string, file: string) => `resumes/${resumeId}/${file}`;

function imageOf(base64: string) {
  const bytes = Buffer.from(base64, "base64");
  const signature = signatures.find(({ matches }) => matches(bytes.subarray(0, 12).toString("hex")));
  if (!signature)
    throw new AppError("BAD_REQUEST", "image: not a PNG, JPEG or WebP", { reason: "image_type", field: "image" });
  return { bytes, type: signature.type, file: `${crypto.randomUUID()}.${signature.extension}` };
}

/**
 * Puts the image into R2 and its address into the row. The object is written inside the transaction, once the row is
 * known to be the caller's: a failure on either side leaves the old thumbnail in place.
 */
export async function setThumbnail(ctx: UserContext, { id, image }: ThumbnailInput) {
  const { env, rls, waitUntil } = ctx;
  const next = image === null ? null : imageOf(image);
  const thumbnailUrl = next && `${env.APP_URL}${thumbnailPath}/${id}/${next.file}`;
  const { before, row } = await rls(async (tx) => {
    const [[old], [updated]] = await Promise.all([
      tx.select(audited).from(resume).where(liveById(id)).for("no key update"),
      tx.update(resume).set({ thumbnailUrl }).where(liveById(id)).returning(summary),
    ]);
    if (!updated) throw notFound();
    audit(ctx, tx, { action: "resume.setThumbnail", target: id, before: old, after: updated });
    if (next)
      await env.FILES.put(thumbnailKey(id, next.file), next.bytes, { httpMetadata: { contentType: next.type } });
    return { before: old?.thumbnailUrl, row: updated };
  });
  const oldFile = before?.split("/").at(-1);
  if (oldFile) waitUntil(env.FILES.delete(thumbnailKey(id, oldFile)));
  return row;
}

/** A thumbnail as stored, or null. Whoever knows its unguessable address may see it. */
export function findThumbnail(
  { env }: Context,
  { id, file }: { id: string; file: string },
): Promise<R2ObjectBody | null> {
  return env.FILES.get(thumbnailKey(id, file));
}
