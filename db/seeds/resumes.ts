import { type NewResume, type ResumeData, resume, resumePrefixes, resumeVisit } from "../schema/resumes.ts";
import { crowdOf, demoUsers } from "./identity.ts";
import { crowdStart, insertMany, numbers, pick, type SeedDb, seedDay, seedId } from "./seed.ts";

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

const jobs = ["Baker", "Carpenter", "Data engineer", "Editor", "Florist", "Gardener", "Nurse"] as const;
const visitsEach = 5;

/** Two résumés for each person of the crowd, one of them public and visited. */
async function seedCrowd(db: SeedDb, scale: number): Promise<void> {
  const written = crowdOf(scale).flatMap((person, index) =>
    [0, 1].map((place): NewResume & { id: string } => {
      const label = pick(jobs, index + place);
      const data: ResumeData = { ...engineer, basics: { name: person.name, label } };
      return {
        id: seedId(resumePrefixes.resume, crowdStart + index * 2 + place),
        userId: person.id,
        userEmail: person.email,
        name: `${label} ${place + 1}`,
        slug: `person-${index + 1}-${place + 1}`,
        isPublic: place === 0,
        views: place === 0 ? visitsEach : 0,
        data,
        publicData: data,
        createdAt: seedDay(index % 300),
        updatedAt: seedDay(index % 300),
      };
    }),
  );
  await insertMany(db, resume, written);
  const visits = written
    .filter(({ isPublic }) => isPublic)
    .flatMap(({ id: resumeId }, index) =>
      numbers(visitsEach).map((place) => ({
        resumeId,
        kind: "view" as const,
        day: seedDay((index + place) % 300)
          .toISOString()
          .slice(0, 10),
        visitor: `visitor-${index}-${place}`,
      })),
    );
  await insertMany(db, resumeVisit, visits);
}

export async function seedResumes(db: SeedDb, scale: number): Promise<void> {
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
  await seedCrowd(db, scale);
}
