// What a browser application writes: a form that is checked before it is sent, saved, and told of conflicts.
// It has the DOM's types and none of the worker's; `references` in tsconfig.json gives it the API's.
import { apiErrorOf, createClient, inputs, type Outputs } from "@repo/api/client";
import type { Resume } from "@repo/db/schema/resumes";

const client = createClient({ url: "http://127.0.0.1:8787" });

export type Editable = Outputs["resumes"]["get"];
export type Saved = { resume: Editable } | { field: string; message: string } | { newerVersion: true };

/** Saves the form of a résumé that was loaded at `version`. */
export async function save(id: Resume["id"], version: number, form: FormData): Promise<Saved> {
  const data = { basics: { name: String(form.get("name")), email: String(form.get("email")) } };
  const checked = inputs.resumes.updateInput.safeParse({ id, version, data });
  if (!checked.success) {
    const [issue] = checked.error.issues;
    return { field: issue?.path.join(".") ?? "form", message: issue?.message ?? "Not valid" };
  }
  try {
    return { resume: await client.resumes.update.mutate(checked.data) };
  } catch (error) {
    const failure = apiErrorOf(error);
    if (failure?.reason === "stale_version") return { newerVersion: true };
    throw error;
  }
}
