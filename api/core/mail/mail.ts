/** One e-mail, in both of its versions. */
export interface Mail {
  to: string;
  subject: string;
  html: string;
  text: string;
}

export interface Mailer {
  /** Resolves once the e-mail has been taken over for delivery; throws when it was refused. */
  send(mail: Mail): Promise<void>;
}
