/**
 * Domains where anyone can have an address: two senders there are not colleagues. The largest mail services
 * and internet providers that give their customers addresses. Compiled from the entries that two lists agree
 * on, without their hosting, news and test domains: https://github.com/derhuerst/email-providers (common.json
 * of 2.26.0) and https://github.com/Kikobeats/free-email-domains (1.12.6). Disposable addresses and some
 * services that both lack were added by hand.
 */

/** Services with a domain in many countries, by the label before the public suffix: `yahoo.co.uk`. */
const families: ReadonlySet<string> = new Set(
  'aol fastmail freenet gmx googlemail hotmail hushmail laposte live lycos mailinator msn outlook protonmail rocketmail tiscali tutanota wanadoo yahoo yandex ymail yopmail'.split(
    ' ',
  ),
);

const domains: ReadonlySet<string> = new Set(
  [
    // International
    'aim.com anonaddy.com appleid.com duck.com email.com fastmail.fm gmail.com guerrillamail.com hey.com icloud.com inbox.com',
    'juno.com mac.com mail.com mailbox.org mailfence.com me.com mozmail.com netscape.net netzero.net pm.me pobox.com posteo.de',
    'posteo.net proton.me runbox.com simplelogin.com simplelogin.co slmail.me tuta.com tuta.io tutamail.com usa.com zoho.com',
    'zohomail.com zohomail.eu 10minutemail.com temp-mail.org sharklasers.com usa.net keemail.me excite.com startmail.com',
    // North America
    'att.net bellsouth.net cableone.net centurylink.net charter.net comcast.net cox.net earthlink.net embarqmail.com',
    'frontier.com frontiernet.net mchsi.com mindspring.com optimum.net optonline.net pacbell.net prodigy.net ptd.net rcn.com',
    'roadrunner.com rr.com sbcglobal.net spectrum.net suddenlink.net swbell.net tds.net verizon.net windstream.net wowway.com',
    'bell.net cogeco.ca eastlink.ca rogers.com shaw.ca sympatico.ca telus.net videotron.ca xplornet.com',
    // Latin America
    'bol.com.br globo.com ig.com.br oi.com.br r7.com terra.com.br uol.com.br arnet.com.ar fibertel.com.ar speedy.com.ar',
    'prodigy.net.mx terra.cl terra.com',
    // Germany, Austria, Switzerland
    '1und1.de arcor.de email.de ewe.net kabelbw.de kabelmail.de magenta.de mailbox.de mnet-online.de netcologne.de o2online.de',
    'online.de online-home.de osnanet.de t-online.de unitybox.de versanet.de vodafone.de vodafonemail.de web.de',
    'a1.net aon.at chello.at inode.at kabsi.at bluewin.ch hispeed.ch quickline.ch sunrise.ch',
    // United Kingdom, Ireland
    'blueyonder.co.uk btconnect.com btinternet.com btopenworld.com freeserve.co.uk freeuk.com ntlworld.com o2.co.uk',
    'plus.net plusnet.com sky.com talktalk.co.uk talktalk.net virgin.net virginmedia.com eircom.net',
    // France, Belgium, the Netherlands, Luxembourg
    'aliceadsl.fr bbox.fr club-internet.fr free.fr neuf.fr noos.fr numericable.fr orange.fr sfr.fr voila.fr',
    'belgacom.net proximus.be scarlet.be skynet.be telenet.be voo.be pt.lu',
    'chello.nl hetnet.nl home.nl kpnmail.nl kpnplanet.nl planet.nl upcmail.nl xs4all.nl ziggo.nl zonnet.nl',
    // Italy, Spain, Portugal, Greece
    'alice.it aruba.it email.it inwind.it iol.it libero.it poste.it tim.it tin.it virgilio.it pec.it legalmail.it',
    'movistar.es ono.com telefonica.net terra.es euskaltel.net sapo.pt netcabo.pt clix.pt forthnet.gr otenet.gr',
    // Nordic and Baltic countries
    'bredband.net comhem.se spray.se telia.com online.no getmail.no mail.dk stofanet.dk elisanet.fi kolumbus.fi luukku.com',
    'suomi24.fi hot.ee inbox.lv inbox.lt',
    // Eastern Europe
    'centrum.cz centrum.sk email.cz post.cz post.sk seznam.cz sweb.cz volny.cz azet.sk interia.eu interia.pl gazeta.pl o2.pl',
    'onet.eu onet.pl op.pl poczta.fm poczta.onet.pl tlen.pl vp.pl wp.pl citromail.hu freemail.hu indamail.hu abv.bg mail.bg',
    'bk.ru inbox.ru internet.ru list.ru mail.ru pochta.ru rambler.ru ya.ru i.ua meta.ua ukr.net tut.by',
    // The Middle East, Africa, India
    'walla.co.il walla.com mynet.com webmail.co.za mweb.co.za vodamail.co.za telkomsa.net',
    'indiatimes.com rediff.com rediffmail.com sify.com in.com',
    // East Asia and Oceania
    '126.com 139.com 163.com 188.com 189.cn 21cn.com aliyun.com foxmail.com qq.com sina.cn sina.com sohu.com tom.com wo.cn',
    'yeah.net pchome.com.tw hinet.net netvigator.com singnet.com.sg daum.net hanmail.net kakao.com nate.com naver.com',
    'biglobe.ne.jp docomo.ne.jp ezweb.ne.jp nifty.com ocn.ne.jp so-net.ne.jp softbank.ne.jp i.softbank.jp au.com',
    'adam.com.au bigpond.com bigpond.net.au iinet.net.au internode.on.net iprimus.com.au optusnet.com.au ozemail.com.au',
    'tpg.com.au westnet.com.au xtra.co.nz slingshot.co.nz',
  ].flatMap((line) => line.split(' ')),
);

/** Whether anyone can have an address there. @param domain a registrable domain, in lower case */
export const isPublicMailDomain = (domain: string): boolean =>
  domains.has(domain) || families.has(domain.slice(0, domain.indexOf('.')));
