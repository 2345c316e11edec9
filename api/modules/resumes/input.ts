import { resumeData, resumeHideable, resumePrefixes, resumeTemplates } from "@repo/db";
import * as z from "zod";
import { idInput, isShallow } from "../../core/input.ts";
import { pageInput } from "../../core/pagination.ts";

const maxDepth = 32;
const maxDataBytes = 256 * 1024;
const maxImageBytes = 512 * 1024;

const id = idInput(resumePrefixes.resume);
const name = z.string().trim().min(1).max(100);
const slug = z
  .string()
  .min(3)
  .max(80)
  .regex(/^[a-z0-9-]+$/, "small letters, digits and hyphens only");
const data = resumeData
  .refine((value) => isShallow(value, maxDepth), { error: "nested too deep", abort: true })
  .refine((value) => new TextEncoder().encode(JSON.stringify(value)).byteLength <= maxDataBytes, {
    error: "larger than 256 KiB",
    abort: true,
  });
const hidden = z.array(z.enum(resumeHideable)).max(resumeHideable.length);
const template = z.enum(resumeTemplates);

export const resumeIdInput = z.object({ id });
export type ResumeIdInput = z.infer<typeof resumeIdInput>;

export const slugInput = z.object({ slug });
export type SlugInput = z.infer<typeof slugInput>;

export const listInput = pageInput.extend({ deleted: z.boolean().default(false) });
export type ListInput = z.infer<typeof listInput>;

export const createInput = z.object({
  id: id.optional(),
  name,
  slug: slug.optional(),
  data: data.default({}),
  hidden: hidden.default([...resumeHideable]),
  template: template.default("classic"),
});
export type CreateInput = z.infer<typeof createInput>;

export const updateInput = z
  .object({
    id,
    /** The version that was edited; a stale one is refused. */
    version: z.number().int().positive(),
    data: data.optional(),
    hidden: hidden.optional(),
    template: template.optional(),
  })
  .refine((input) => input.hidden === undefined || input.data !== undefined, {
    path: ["hidden"],
    error: "send data along with hidden: the public form is made of both",
  });
export type UpdateInput = z.infer<typeof updateInput>;

export const renameInput = z
  .object({ id, name: name.optional(), slug: slug.optional() })
  .refine((input) => input.name ?? input.slug, {
    path: ["name"],
    error: "a new name, a new slug, or both",
  });
export type RenameInput = z.infer<typeof renameInput>;

export const duplicateInput = z.object({ id, name });
export type DuplicateInput = z.infer<typeof duplicateInput>;

/** A document in the JSON Resume format; its name is taken from `basics` unless given. */
export const importInput = z.object({ json: data, name: name.optional(), slug: slug.optional() });
export type ImportInput = z.infer<typeof importInput>;

export const exportInput = z.object({ id, format: z.enum(["json", "html"]).default("json") });
export type ExportInput = z.infer<typeof exportInput>;

/** A PNG, JPEG or WebP of at most 512 KiB, in base64; null takes the thumbnail away. */
export const thumbnailInput = z.object({
  id,
  image: z
    .base64()
    .max(Math.ceil(maxImageBytes / 3) * 4, "larger than 512 KiB")
    .nullable(),
});
export type ThumbnailInput = z.infer<typeof thumbnailInput>;
