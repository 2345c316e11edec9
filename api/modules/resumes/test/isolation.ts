import { insider, unique } from "../../../test/actors.ts";
import { type Case, defineIsolation } from "../../../test/isolation/declare.ts";

const png = Buffer.from("89504e470d0a1a0a0000", "hex").toString("base64");

/** Somebody with a résumé that is nobody else's business. */
async function place() {
  const host = await insider("owner");
  const { id, slug } = await host.api.resumes.create({ name: `Private ${unique()}` });
  return { host, id, slug };
}
type Desk = Awaited<ReturnType<typeof place>>;

const own = (more: (desk: Desk) => object = () => ({})): Case<Desk> => ({
  as: "user",
  input: (desk) => ({ id: desk.id, ...more(desk) }),
});
const publish = ({ host, id }: Desk) => host.api.resumes.publish({ id });
const open: Case<Desk> = { as: "visitor", input: ({ slug }) => ({ slug }), prepare: publish };

export const isolation = defineIsolation<Desk>({
  place,
  procedures: {
    "resumes.list": { as: "user", input: () => ({}) },
    "resumes.get": own(),
    "resumes.export": own(),
    "resumes.stats": own(),
    "resumes.create": { as: "user", input: () => ({ name: `New ${unique()}` }), makes: ["id"] },
    "resumes.import": { as: "user", input: () => ({ json: {}, name: `Import ${unique()}` }) },
    "resumes.duplicate": own(() => ({ name: `Copy ${unique()}` })),
    "resumes.update": own(() => ({ version: 1, data: {} })),
    "resumes.rename": own(() => ({ name: `Name ${unique()}` })),
    "resumes.publish": own(),
    "resumes.unpublish": own(),
    "resumes.setThumbnail": own(() => ({ image: png })),
    "resumes.delete": own(),
    "resumes.restore": { ...own(), prepare: ({ host, id }) => host.api.resumes.delete({ id }) },
    "resumes.bySlug": open,
    "resumes.trackView": open,
    "resumes.trackDownload": open,
  },
});
