// The one script of the pages, an enhancement of what already works: copy buttons, times as people say them, choices that
// submit their own form, fields that say at once what is wrong, and values that take in what was typed. A module, served
// as it stands, so it keeps to what every current browser knows.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const field = button.closest('.copy').querySelector('input, textarea');
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = 'Copied';
    } catch {
      field.focus();
      field.select();
      button.textContent = 'Press Ctrl+C';
    }
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}

const steps = [
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
function sayTimes() {
  for (const time of document.querySelectorAll('time[data-relative]')) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const step = steps.find(([, size]) => Math.abs(seconds) >= size);
    time.title ||= time.textContent;
    if (Math.abs(seconds) > 6 * 86400) time.textContent = time.title;
    else time.textContent = step ? relative.format(Math.round(seconds / step[1]), step[0]) : 'just now';
  }
}
sayTimes();
setInterval(sayTimes, 30000);

// A token behind # never left the browser: it is posted, and the address forgets it.
const opens = document.querySelector('form[data-token-from-hash]');
function postToken() {
  const token = location.hash.slice(1);
  if (!/^[\w-]{43}$/.test(token)) return;
  history.replaceState(null, '', location.pathname);
  opens.elements.namedItem('link').value = token;
  opens.submit();
}
if (opens) {
  postToken();
  addEventListener('hashchange', postToken);
}

for (const form of document.querySelectorAll('form[data-submit-on-change]'))
  form.addEventListener('change', () => form.requestSubmit());

// What appears moves the button below it: a click that has begun comes to its end first, or it would miss.
let pressed;
addEventListener(
  'pointerdown',
  () => {
    pressed = new Promise((released) => {
      for (const end of ['pointerup', 'pointercancel'])
        addEventListener(end, () => setTimeout(released), { once: true });
    });
  },
  true,
);

for (const field of document.querySelectorAll('input[data-rules]')) {
  const rules = JSON.parse(field.dataset.rules).map((rule) => ({
    ...rule,
    pattern: new RegExp(rule.pattern, 'i'),
  }));
  const note = document.getElementById(`${field.id}-typed`);
  const refused = document.getElementById(`${field.id}-error`);
  const described = field.getAttribute('aria-describedby');
  let idle;
  const brokenRule = () => {
    const text = field.value.trim();
    const broken = text === '' ? undefined : rules.find((rule) => rule.pattern.test(text) !== rule.wanted);
    field.toggleAttribute('data-wrong', Boolean(broken));
    return broken;
  };
  const say = () => {
    const broken = brokenRule();
    note.textContent = broken ? broken.sentence : '';
    if (refused) refused.textContent = '';
    field.closest('.field').classList.toggle('invalid', Boolean(broken));
    if (broken) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
    if (broken) field.setAttribute('aria-describedby', [described, note.id].filter(Boolean).join(' '));
    else if (described) field.setAttribute('aria-describedby', described);
    else field.removeAttribute('aria-describedby');
  };
  const sayOnceFree = () => Promise.resolve(pressed).then(say);
  field.addEventListener('input', (event) => {
    clearTimeout(idle);
    const atOnce = event.inputType === 'insertFromPaste' || note.textContent !== '';
    idle = setTimeout(sayOnceFree, atOnce ? 0 : 900);
  });
  field.addEventListener('change', () => {
    brokenRule();
    clearTimeout(idle);
    void sayOnceFree();
  });
}

const filled = [...document.querySelectorAll('[data-filling]')];
function fillIn() {
  for (const place of filled) {
    const { by, choices } = JSON.parse(place.dataset.filling);
    const { whole, until } = choices[document.getElementById(by).value];
    let complete = true;
    const text = whole.replace(/\{(\w+)\}/g, (_, name) => {
      const field = document.getElementById(name);
      const value = field ? field.value.trim() : '';
      if (value === '' || field.hasAttribute('data-wrong')) complete = false;
      return encodeURIComponent(value);
    });
    const shown = complete ? text : until;
    if (place.tagName === 'A') place.href = shown;
    else place.value = shown;
  }
}
if (filled.length > 0) document.addEventListener('change', fillIn);

for (const part of document.querySelectorAll('[data-shown-from]')) {
  const field = document.getElementById(part.dataset.shownBy);
  const show = () => {
    part.hidden = field.value < part.dataset.shownFrom;
  };
  field.addEventListener('change', () => Promise.resolve(pressed).then(show));
}

// The document of a message runs no script; this page may look into it and gives its frame the height that it needs.
for (const frame of document.querySelectorAll('.mail-frame iframe')) {
  const box = frame.parentElement;
  let width;
  const measure = () => {
    const inside = frame.contentDocument;
    if (!inside?.body || inside.URL === 'about:blank') return;
    // From the least height, or what is as tall as the frame would make it grow for ever.
    box.classList.add('measured');
    box.style.blockSize = '0';
    const { scrollHeight, scrollWidth, clientWidth } = inside.documentElement;
    const bar = scrollWidth > clientWidth ? 18 : 0;
    box.style.blockSize = `${Math.min(scrollHeight + bar, 30000)}px`;
    width = box.clientWidth;
  };
  const begin = () => {
    measure();
    const inside = frame.contentDocument;
    if (!inside) return;
    inside.addEventListener('load', measure, true);
    // A quotation was unfolded.
    inside.addEventListener('toggle', measure, true);
  };
  frame.addEventListener('load', begin);
  begin();
  new ResizeObserver(() => {
    if (width !== undefined && box.clientWidth !== width) measure();
  }).observe(box);
}

// What was typed is there again after Back and after a reload, never a password; another visit begins afresh. It stays in
// this tab, and ends with the sign-in.
const kept = document.querySelector('form[data-keep]');
const keptAs = `typed ${location.pathname}${location.search}`;
function fieldOf(name, value) {
  const field = kept.elements.namedItem(name);
  if (!(field instanceof RadioNodeList)) return field;
  return [...field].find((one) => one.value === value);
}
function putBack() {
  for (const [name, value] of Object.entries(JSON.parse(sessionStorage.getItem(keptAs) || '{}'))) {
    const field = fieldOf(name, value);
    if (!field || field.type === 'password' || field.type === 'hidden') continue;
    if (field.type === 'checkbox' || field.type === 'radio') field.checked = value !== '';
    else field.value = value;
    field.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
if (kept) {
  const [visit] = performance.getEntriesByType('navigation');
  if (visit && visit.type === 'navigate') sessionStorage.removeItem(keptAs);
  else putBack();
  kept.addEventListener('input', ({ target }) => {
    if (!target.name || target.type === 'password') return;
    const typed = JSON.parse(sessionStorage.getItem(keptAs) || '{}');
    typed[target.name] = target.type === 'checkbox' && !target.checked ? '' : target.value;
    sessionStorage.setItem(keptAs, JSON.stringify(typed));
  });
}
for (const end of document.querySelectorAll('a[href="/.auth/logout"]'))
  end.addEventListener('click', () => sessionStorage.clear());

const waiting = document.querySelector('[data-reload]');
if (waiting)
  setTimeout(() => {
    location.reload();
  }, Number(waiting.dataset.reload) * 1000);
