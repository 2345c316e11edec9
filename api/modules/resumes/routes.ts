import type { Hono } from "hono";
import type { HonoEnv } from "../../core/modules.ts";
import { notFound } from "./errors.ts";
import { findThumbnail, thumbnailPath } from "./service/thumbnail.ts";

/** Thumbnails, under addresses that change with every image, so that anyone may keep them for good. */
export function mountThumbnails(app: Hono<HonoEnv>): void {
  app.get(`${thumbnailPath}/:id/:file`, async (c) => {
    const image = await findThumbnail(c.get("context"), c.req.param());
    if (!image) throw notFound();
    return c.body(image.body, 200, {
      "content-type": image.httpMetadata?.contentType ?? "application/octet-stream",
      "cache-control": "public, max-age=31536000, immutable",
      etag: image.httpEtag,
    });
  });
}
