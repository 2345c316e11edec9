import { type NewResume, type ResumeData, resume, resumePrefixes } from "../schema/resumes.ts";
import { demoUsers } from "./identity.ts";
import { type SeedDb, seedDay, seedId } from "./seed.ts";

const engineer: ResumeData = {
  basics: {
    name: "Demo Person",
    label: "Backend engineer",
    summary: "Builds APIs that answer from close by.",
    location: { city: "Hamburg", countryCode: "DE" },
    profiles: [{ network: "GitHub", username: "demo", url: "https://github.com/demo" }],
  },
  work: [
    {
      name: "Demo Company",
      position: "Backend engineer",
      startDate: "2021-03",
      highlights: ["Halved the round trips"],
    },
    { name: "Harbour Office", position: "Developer", startDate: "2017-09", endDate: "2021-02" },
  ],
  education: [{ institution: "Technical University", area: "Computer Science", studyType: "BSc", endDate: "2017" }],
  skills: [{ name: "Databases", level: "advanced", keywords: ["Postgres", "row-level security"] }],
  languages: [{ language: "German", fluency: "native" }],
};

const teacher: ResumeData = {
  basics: { name: "Demo Person", label: "Teacher" },
  education: [{ institution: "Technical University", area: "Education", studyType: "MSc", endDate: "2019" }],
};

const designer: ResumeData = { basics: { name: "Second Person", label: "Designer" } };

const [demo, second] = demoUsers;
const hiddenContact = { email: "demo@example.com", phone: "+49 40 555 0100" };

// The second résumé of `data` holds what the public form leaves out.
const resumes = [
  {
    owner: demo,
    name: "Engineer",
    slug: "demo-person",
    isPublic: true,
    data: { ...engineer, basics: { ...engineer.basics, ...hiddenContact } },
    publicData: engineer,
  },
  { owner: demo, name: "Teacher", slug: "demo-person-teacher", isPublic: false, data: teacher, publicData: teacher },
  { owner: second, name: "Designer", slug: "second-person", isPublic: false, data: designer, publicData: designer },
];

export async function seedResumes(db: SeedDb): Promise<void> {
  for (const [index, { owner, ...fields }] of resumes.entries()) {
    if (!owner) continue;
    const times = { createdAt: seedDay(index + 3), updatedAt: seedDay(index + 3) };
    const row: NewResume = {
      ...fields,
      id: seedId(resumePrefixes.resume, index + 1),
      userId: owner.id,
      userEmail: owner.email,
    };
    await db
      .insert(resume)
      .values({ ...row, ...times })
      .onConflictDoNothing();
  }
}
