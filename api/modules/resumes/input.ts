import { z } from "zod";
import { pageInput } from "../../core/pagination.ts";

export const slugInput = z.object({ slug: z.string().regex(/^[a-z0-9-]{3,80}$/) });
export const listInput = pageInput;
export type listInput = z.infer<typeof listInput>;
