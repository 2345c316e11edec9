import { expect, test } from "vitest";
import { renderLetter } from "../../../core/mail/letter.tsx";
import { alreadyRegisteredLetter, codeLetter, resetPasswordLetter, verifyEmailLetter } from "../mail/letters.ts";
import { browser, randomEmail, request } from "./browser.ts";

const url = "https://api.example.com/api/auth/verify-email?token=a&callbackURL=%2F";

test.each([
  ["verify", verifyEmailLetter(url)],
  ["reset", resetPasswordLetter(url)],
])("the letter to %s carries its link in both versions", (_, letter) => {
  const { html, text } = renderLetter(letter);
  expect(text).toContain(url);
  expect(html).toContain(`href="${url.replace("&", "&amp;")}"`);
  expect(html).not.toContain(`href="${url}"`);
  expect(text).not.toMatch(/<|&amp;/);
});

test.each(["sign-in", "email-verification", "forget-password", "change-email"] as const)(
  "the letter with a %s code shows it in both versions",
  (type) => {
    const { html, text, subject } = renderLetter(codeLetter(type, "123456"));
    expect(html).toContain("123456");
    expect(text).toContain("123456");
    expect(subject).toMatch(/code/);
    expect(subject).not.toContain("123456");
  },
);

test("the letter to somebody who has an account carries no link to press", () => {
  const { html, text } = renderLetter(alreadyRegisteredLetter());
  expect(`${html}${text}`).not.toMatch(/href|http/);
});

test("/dev/mail and /dev/mail.json show the outbox, in development alone", async () => {
  const email = randomEmail();
  await browser().auth.emailOtp.sendVerificationOtp({ email, type: "sign-in" });
  const [mail] = await (await request(`/dev/mail.json?to=${email}`)).json<Record<string, string>[]>();
  expect(mail).toMatchObject({
    to: email,
    subject: "Your sign-in code",
    text: expect.any(String),
    html: expect.any(String),
  });
  const page = await request("/dev/mail");
  expect(page.headers.get("content-type")).toMatch(/text\/html/);
  expect(await page.text()).toContain(email);
  const elsewhere = { ENVIRONMENT: "production", RESEND_API_KEY: "re_key" };
  for (const path of ["/dev/mail", "/dev/mail.json"]) expect((await request(path, {}, elsewhere)).status).toBe(404);
});
