/**
 * The one script of the pages, an enhancement of what already works: copy buttons, times as people say them, and
 * choices that submit their own form. It is served as it stands, so it keeps to what every current browser knows.
 */
export const script = `'use strict';
for (const button of document.querySelectorAll('button[data-copy]')) {
  const field = button.closest('.copy').querySelector('input');
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
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

const steps = [['day', 86400], ['hour', 3600], ['minute', 60]];
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

for (const form of document.querySelectorAll('form[data-submit-on-change]'))
  form.addEventListener('change', () => form.requestSubmit());
`;
