/** What an e-mail says; both of its versions are made of it. */
export interface Letter {
  subject: string;
  paragraphs: string[];
  /** A link to follow. */
  action?: { label: string; url: string };
  /** A code to type in. */
  code?: string;
  /** Small print at the end. */
  note?: string;
}

/** The e-mail's subject, its HTML with every value escaped, and its plain text. */
export function renderLetter(letter: Letter): { subject: string; html: string; text: string } {
  return {
    subject: letter.subject,
    html: `<!doctype html>${String(<LetterPage {...letter} />)}`,
    text: textOf(letter),
  };
}

function textOf({ paragraphs, action, code, note }: Letter): string {
  const link = action && `${action.label}:\n${action.url}`;
  return [...paragraphs, code, link, note].filter((part) => part !== undefined).join("\n\n");
}

const column =
  "font-family: system-ui, sans-serif; font-size: 16px; line-height: 1.5; max-width: 32rem; margin: 2rem auto";
const button = "display: inline-block; padding: 0.6rem 1.2rem; border-radius: 6px; background: #1d4ed8; color: #fff";

function LetterPage({ subject, paragraphs, action, code, note }: Letter) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{subject}</title>
      </head>
      <body style={column}>
        {paragraphs.map((paragraph) => (
          <p>{paragraph}</p>
        ))}
        {code ? <p style="font-size: 28px; letter-spacing: 0.2em">{code}</p> : null}
        {action ? (
          <p>
            <a href={action.url} style={button}>
              {action.label}
            </a>
          </p>
        ) : null}
        {note ? <p style="color: #6b7280; font-size: 14px">{note}</p> : null}
      </body>
    </html>
  );
}
