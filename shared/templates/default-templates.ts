/** The acknowledgement that a mailbox starts with, in each language. */

export const templateLanguages = ['en', 'de', 'fr', 'es', 'nl', 'it'] as const;
export type TemplateLanguage = (typeof templateLanguages)[number];

/** In the language itself, for the choice in the form. */
export const languageNames: Readonly<Record<TemplateLanguage, string>> = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  nl: 'Nederlands',
  it: 'Italiano',
};

export interface MailTemplate {
  /** One line. */
  subject: string;
  /** Markdown. */
  text: string;
}

/**
 * None repeats what the sender wrote, except in the subject, which keeps the email in its conversation: whoever
 * forges a sender could otherwise send their own text through this mailbox.
 */
export const defaultTemplates: Readonly<Record<TemplateLanguage, MailTemplate>> = {
  en: {
    subject: 'We have received your message: {{subject}} [#{{ticket number}}]',
    text: 'Hello,\n\nthank you for your message. We have received it under number {{ticket number}} and will reply as soon as we can.\n\n{{opening hours}}\n\nTo add something, just reply to this email.\n\n{{mailbox name}}',
  },
  de: {
    subject: 'Wir haben Ihre Nachricht erhalten: {{subject}} [#{{ticket number}}]',
    text: 'Guten Tag,\n\nvielen Dank für Ihre Nachricht. Sie ist unter der Nummer {{ticket number}} bei uns eingegangen. Wir antworten Ihnen so bald wie möglich.\n\n{{opening hours}}\n\nWenn Sie etwas ergänzen möchten, antworten Sie einfach auf diese E-Mail.\n\n{{mailbox name}}',
  },
  fr: {
    subject: 'Nous avons bien reçu votre message : {{subject}} [#{{ticket number}}]',
    text: 'Bonjour,\n\nmerci pour votre message. Nous l’avons bien reçu sous le numéro {{ticket number}} et vous répondrons dès que possible.\n\n{{opening hours}}\n\nPour ajouter une précision, répondez simplement à cet e-mail.\n\n{{mailbox name}}',
  },
  es: {
    subject: 'Hemos recibido su mensaje: {{subject}} [#{{ticket number}}]',
    text: 'Hola:\n\nGracias por su mensaje. Lo hemos recibido con el número {{ticket number}} y le responderemos lo antes posible.\n\n{{opening hours}}\n\nSi desea añadir algo, responda a este correo.\n\n{{mailbox name}}',
  },
  nl: {
    subject: 'Wij hebben uw bericht ontvangen: {{subject}} [#{{ticket number}}]',
    text: 'Goedendag,\n\nbedankt voor uw bericht. Wij hebben het ontvangen onder nummer {{ticket number}} en antwoorden zo snel mogelijk.\n\n{{opening hours}}\n\nWilt u iets toevoegen? Beantwoord dan deze e-mail.\n\n{{mailbox name}}',
  },
  it: {
    subject: 'Abbiamo ricevuto il Suo messaggio: {{subject}} [#{{ticket number}}]',
    text: 'Buongiorno,\n\ngrazie per il Suo messaggio. Lo abbiamo ricevuto con il numero {{ticket number}} e Le risponderemo appena possibile.\n\n{{opening hours}}\n\nPer aggiungere qualcosa, risponda a questa e-mail.\n\n{{mailbox name}}',
  },
};
