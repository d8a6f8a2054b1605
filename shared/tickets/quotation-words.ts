/**
 * The words with which mail clients in many languages introduce quotations, forwarded messages and signatures.
 */

/** Names of the header fields above a quotation in Outlook and other clients, by meaning, in lower case. */
const fieldNames = {
  from: 'from von de expéditeur da mittente remitente remetente van od från fra lähettäjä от kimden gönderen feladó 差出人 发件人 寄件者 보낸_사람',
  date: 'sent date gesendet datum envoyé enviado enviado_el fecha enviada_em enviado_em inviato data verzonden wysłano wysłane skickat sendt dato lähetetty päivämäärä отправлено дата odesláno gönderildi tarih küldve dátum 送信日時 日付 发送时间 日期 寄件日期 보낸_날짜',
  to: 'to an à a pour para aan do till til vastaanottaja кому komu kime alıcı címzett 宛先 收件人 收件者 받는_사람',
  subject:
    'subject betreff objet sujet asunto assunto oggetto onderwerp temat ämne emne aihe тема předmět konu tárgy 件名 主题 主旨 제목',
} as const;

export type FieldKind = keyof typeof fieldNames;

export const fieldKinds: ReadonlyMap<string, FieldKind> = new Map(
  (['from', 'date', 'to', 'subject'] as const).flatMap((kind) =>
    fieldNames[kind].split(' ').map((name): [string, FieldKind] => [name.replaceAll('_', ' '), kind]),
  ),
);

/** Fields that only occur in the header of a raw message or report, for example in a bounce or a digest. */
export const rawField: RegExp =
  /^\s*(?:message-id|received|return-path|mime-version|content-[a-z-]+|x-[a-z-]+|references|in-reply-to|user-agent|delivered-to|status|precedence|errors-to|sender|reporting-mta|final-recipient|diagnostic-code|feedback-type)\s*:/i;

const anyOf = (...words: string[]): string => `(?:${words.join('|')})`;

/**
 * `-----Original Message-----`: everything after it is quoted. Outlook Express ends the line with a space,
 * which joins the next line to it.
 */
export const originalMessage: RegExp = new RegExp(
  `^-{2,}\\s*${anyOf(
    '(?:Original|Reply) Message',
    '(?:Ursprüngliche|Antwort) Nachricht',
    "Message (?:d['’]origine|original)",
    'Mensaje original',
    'Messaggio originale',
    'Mensagem original',
    'Oorspronkelijk bericht',
    'Oryginalna wiadomość',
    'Wiadomość oryginalna',
    'Ursprungligt meddelande',
    'Originalmeddelande',
    'Oprindelig (?:meddelelse|besked)',
    'Opprinnelig melding',
    'Alkuperäinen viesti',
    'Původní (?:zpráva|e-mail)',
    '(?:Исходное|Оригинальное) сообщение',
    '(?:Özgün İleti|Orijinal mesaj)',
    'Eredeti üzenet',
    '(?:元のメッセージ|オリジナル メッセージ)',
    '(?:原始邮件|邮件原件|原始郵件)',
    '원본 메(?:일|시지)',
  )}\\s*-{2,}\\s*(?:\\s\\p{L}{1,20}\\s?:.*)?$`,
  'iu',
);

/** Introduces a forwarded message, which is the content and must stay visible. */
export const forwardedMessage: RegExp = new RegExp(
  `^[-–—_\\s]*${anyOf(
    'Forwarded message',
    'Begin forwarded message',
    'Weitergeleitete (?:Nachricht|E-Mail)',
    'Anfang der weitergeleiteten (?:Nachricht|E-Mail)',
    'Message (?:transféré|réexpédié)',
    'Début du message (?:transféré|réexpédié)',
    'Mensaje reenviado',
    'Inicio del mensaje reenviado',
    'Messaggio inoltrato',
    'Inizio (?:del )?messaggio inoltrato',
    'Mensagem (?:re)?encaminhada',
    'Início da mensagem (?:re)?encaminhada',
    'Doorgestuurd bericht',
    'Begin doorgestuurd bericht',
    'Przekazana wiadomość',
    'Wiadomość przekazana(?: dalej)?',
    'Początek przekazywanej wiadomości',
    'Vidarebefordrat (?:meddelande|brev)',
    'Vidarebefordrat mejl',
    'Videresendt (?:besked|melding|meddelelse|e-mail)',
    'Start på videresendt (?:besked|melding)',
    'Välitetty viesti(?: alkaa)?',
    'Přeposlaná zpráva',
    'Začátek přeposílané zprávy',
    '(?:Пересылаемое|Пересланное) сообщение',
    'Начало переадресованного сообщения',
    'İletilen (?:mesaj|ileti)',
    'Továbbított üzenet',
    '転送(?:された)?メッセージ',
    '转发的邮件',
    '(?:已转发的邮件|轉寄郵件|轉寄的郵件)',
    '전달된 메(?:일|시지)',
  )}\\s*[-–—]*\\s*[:：]?\\s*[-–—]*\\s*$`,
  'iu',
);

/**
 * Subject prefix of a forwarded message. `VS` means a reply in Finland and a forwarded message in Denmark; in
 * doubt, the quotation stays visible.
 */
export const forwardedSubject: RegExp =
  /^\s*\[?\s*(?:fwd?|wg|tr|rv|enc|i|vs|vb|vl|doorst|pd|i̇lt|ilt|転送|转发|轉寄|전달)\s*[:：]/iu;

/** The verb of an attribution line: "wrote". */
export const wroteWord: RegExp = new RegExp(
  anyOf(
    '(?<!\\p{L})(?:wrote|writes|schrieb|schreibt|écrit|escribió|scritto|escreveu|schreef|geschreven|pisze)(?!\\p{L})',
    'napisał(?:\\(a\\)|a)?(?!\\p{L})',
    'napisana przez',
    '(?<!\\p{L})(?:skrev|skriver|kirjoitti|yazdı|írta|пишет)(?!\\p{L})',
    'napsal(?:\\(a\\)|a)?(?!\\p{L})',
    'написал(?:\\(а\\)|а)?(?!\\p{L})',
    '写道',
    '寫道',
    'のメール',
    '님이 작성',
  ),
  'iu',
);

/** The start of an attribution line: the word for "on", or a date. */
export const attributionStart: RegExp = new RegExp(
  `^(?:-{2,}\\s*)?${anyOf(
    'On\\s',
    'Am\\s',
    'Le\\s',
    'El\\s',
    'Il\\s',
    'In data\\s',
    'Em\\s',
    'No dia\\s',
    'Op\\s',
    'W dniu\\s',
    'Dnia\\s',
    'Wiadomość napisana\\s',
    '(?:Den|På)\\s',
    'Dne\\s',
    '在\\s?\\d',
    '\\d{1,4}\\s?[./年-]',
    '\\d{1,2}\\.?\\s\\p{L}{3,}',
    // The day of the week, often abbreviated.
    '\\p{L}{2,12}\\.?,?\\s\\d{1,2}[.,\\s]',
  )}`,
  'iu',
);

/** A line that a mobile device or a program adds below the text. */
export const deviceLine: RegExp = new RegExp(
  `^[-–—\\s]*${anyOf(
    `(?:sent|verstuurd|verzonden|gesendet|envoyé|enviado|inviato|wysłan[eao]|skickat|sendt|sänt|odesláno|отправлено|lähetetty)\\s(?:from|via|with|using|von|mit|de|depuis|à partir de|desde|do|da|con|vanaf|vanuit|met|z|ze|från|fra|med|z mého|z mojeho|с|из|от)\\s(?:(?:my|mijn|meinem|mon|mi|meu|mio|il mio|min|moj[ae]go|мо(?:его|ей))\\s)?${anyOf('i-?phon\\p{L}*', 'i-?pad', 'i-?pod', 'android', 'samsung', 'galaxy', 'blackberry', 'huawei', 'xiaomi', 'nokia', 'sony', 'htc', 'pixel', 'motorola', 'windows', 'outlook', 'yahoo', 'gmail', 'aol', 'proton', 'gmx', 'web\\.de', 'mail for', 'mail für', 'courrier', 'correo para', 'posta per', 'e?-?mail app', 'mobile', 'phone', 'smartphone', 'tablet', 'handy', 'mobil', 'mobiltelefon', 'telefon', 'teléfono', 'telefono', 'téléphone', 'móvil', 'telemóvel', 'celular', 'cellulare', 'телефона', 'почты', 'sparrow')}`,
    '(?:von|vom|mit|diese nachricht wurde von) meine[mr]\\s.{2,40}\\sgesendet',
    'lähetetty i(?:phone|pad)',
    '(?:get|holen sie sich|télécharger|téléchargez|obtenir|obtenga|scarica|ottieni|baixe|obter|download|pobierz|hämta|hent|hanki|скачать|получить|stáhnout|获取|取得)\\s.{0,12}outlook\\s(?:for|für|pour|para|per|voor|dla|för|til|na|для)\\s(?:ios|android)',
    "i(?:phone|pad)['’]?u?mdan gönderildi",
    'i(?:Phone|Pad)から送信',
    '(?:从|發自|发自)我的\\s?\\S{2,20}$',
  )}`,
  'iu',
);

/** Says that the replies are inside the quotation, or refers the reader to it. */
export const answersWithin: RegExp = new RegExp(
  anyOf(
    '(?<!\\p{L})(?:see|find|answer(?:s|ed)?|repl(?:y|ies|ied)|comment(?:s|ed)?|responses?|remarks?|notes?|mails?|messages?)(?!\\p{L})[^.\\n]{0,40}(?<!\\p{L})(?:below|in-?line|underneath|in (?:red|blue|green|bold|between))(?!\\p{L})',
    '(?<!\\p{L})(?:below|in-?line) (?:in|are|is|mail|message|email)(?!\\p{L})',
    '(?<!\\p{L})(?:siehe|s\\.|antwort(?:en)?|kommentare?|anmerkungen?)(?!\\p{L})[^.\\n]{0,40}(?<!\\p{L})(?:unten|inline|im text|in rot|in blau|dazwischen)(?!\\p{L})',
    'ci-dessous|dans le (?:texte|corps)|en rouge',
    '(?<!\\p{L})abajo(?!\\p{L})|en rojo|entre líneas',
    'qui sotto|di seguito|in rosso',
    '(?<!\\p{L})abaixo(?!\\p{L})|em vermelho',
    'hieronder|in het rood',
    'poniżej|na czerwono',
    '(?<!\\p{L})nedan(?:för)?(?!\\p{L})|i rött',
    'nedenfor|med rødt',
    'alempana|punaisella',
    '(?<!\\p{L})ниже(?!\\p{L})|красным',
    '(?<!\\p{L})níže(?!\\p{L})|červeně',
    'aşağıda|kırmızı',
    '下記|以下の|赤字|见下|如下|下面|红色|紅色',
  ),
  'iu',
);
