import type { ResumeData, resumeTemplates } from "@repo/db";
import type { Child } from "hono/jsx";

type Template = (typeof resumeTemplates)[number];

const styles: Record<Template, string> = {
  classic:
    "body{font:11pt/1.5 Georgia,serif;max-width:46em;margin:2em auto;padding:0 1em}h2{border-bottom:1px solid #999}",
  compact:
    "body{font:9.5pt/1.35 Helvetica,Arial,sans-serif;max-width:52em;margin:1em auto;padding:0 1em}h2{font-size:1.1em;margin:.8em 0 .2em}",
};
const printed =
  "@page{margin:18mm}h3{margin:.8em 0 0}ul{margin:.2em 0}.when{float:right;color:#555}a{color:inherit}article{break-inside:avoid}";

function Section({ title, children }: { title: string; children: Child[] }) {
  return children.length === 0 ? null : (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface EntryProps {
  heading: (string | undefined)[];
  from?: string | undefined;
  to?: string | undefined;
  text?: string | undefined;
  points?: string[] | undefined;
}

function Entry({ heading, from, to, text, points = [] }: EntryProps) {
  return (
    <article>
      <h3>
        {(from || to) && <span class="when">{[from, to].filter(Boolean).join(" – ")}</span>}
        {heading.filter(Boolean).join(", ")}
      </h3>
      {text && <p>{text}</p>}
      {points.length > 0 && (
        <ul>
          {points.map((point) => (
            <li>{point}</li>
          ))}
        </ul>
      )}
    </article>
  );
}

function Basics({ basics = {} }: Pick<ResumeData, "basics">) {
  const { location = {}, url, email, phone } = basics;
  const place = [location.address, location.postalCode, location.city, location.region, location.countryCode]
    .filter(Boolean)
    .join(", ");
  return (
    <header>
      <h1>{basics.name}</h1>
      {basics.label && <p>{basics.label}</p>}
      <p>
        {[email, phone, place].filter(Boolean).join(" · ")} {url && <a href={url}>{url}</a>}
      </p>
      {basics.summary && <p>{basics.summary}</p>}
    </header>
  );
}

function Body({ data }: { data: ResumeData }) {
  return (
    <>
      <Basics basics={data.basics} />
      <Section title="Work">
        {(data.work ?? []).map((job) => (
          <Entry
            heading={[job.position, job.name, job.location]}
            from={job.startDate}
            to={job.endDate}
            text={job.summary}
            points={job.highlights}
          />
        ))}
      </Section>
      <Section title="Volunteering">
        {(data.volunteer ?? []).map((job) => (
          <Entry
            heading={[job.position, job.organization]}
            from={job.startDate}
            to={job.endDate}
            text={job.summary}
            points={job.highlights}
          />
        ))}
      </Section>
      <Section title="Education">
        {(data.education ?? []).map((school) => (
          <Entry
            heading={[school.studyType, school.area, school.institution]}
            from={school.startDate}
            to={school.endDate}
            text={school.score}
            points={school.courses}
          />
        ))}
      </Section>
      <Section title="Projects">
        {(data.projects ?? []).map((project) => (
          <Entry
            heading={[project.name, project.entity]}
            from={project.startDate}
            to={project.endDate}
            text={project.description}
            points={project.highlights}
          />
        ))}
      </Section>
      <Section title="Awards and certificates">
        {(data.awards ?? []).map((award) => (
          <Entry heading={[award.title, award.awarder]} to={award.date} text={award.summary} />
        ))}
        {(data.certificates ?? []).map((certificate) => (
          <Entry heading={[certificate.name, certificate.issuer]} to={certificate.date} />
        ))}
      </Section>
      <Section title="Publications">
        {(data.publications ?? []).map((text) => (
          <Entry heading={[text.name, text.publisher]} to={text.releaseDate} text={text.summary} />
        ))}
      </Section>
      <Section title="Skills">
        {(data.skills ?? []).map((skill) => (
          <Entry heading={[skill.name, skill.level]} text={skill.keywords?.join(", ")} />
        ))}
      </Section>
      <Section title="Languages">
        {(data.languages ?? []).map((language) => (
          <Entry heading={[language.language, language.fluency]} />
        ))}
      </Section>
      <Section title="Interests">
        {(data.interests ?? []).map((interest) => (
          <Entry heading={[interest.name]} text={interest.keywords?.join(", ")} />
        ))}
      </Section>
      <Section title="References">
        {(data.references ?? []).map((reference) => (
          <Entry heading={[reference.name]} text={reference.reference} />
        ))}
      </Section>
    </>
  );
}

/** The résumé as a page to print or to save; everything in it is escaped. */
export function toHtml(data: ResumeData, template: Template): string {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{data.basics?.name ?? "Résumé"}</title>
        <style>{styles[template] + printed}</style>
      </head>
      <body>
        <Body data={data} />
      </body>
    </html>
  );
  return `<!doctype html>${page}`;
}
