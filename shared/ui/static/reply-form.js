// The reply form: the draft is saved while it is written, and files can be dropped and pasted. Each is also a button.
const reply = document.querySelector('form[data-draft]');
if (reply) {
  const said = reply.querySelector('[data-draft-state]');
  const field = (name) => reply.elements.namedItem(name);
  let idle;
  let saving;
  let isChanged = false;
  const texts = () => {
    const all = new URLSearchParams();
    for (const [name, value] of new FormData(reply)) if (typeof value === 'string') all.set(name, value);
    return all;
  };
  const save = async () => {
    isChanged = false;
    try {
      const answer = await fetch(reply.dataset.draft, { method: 'POST', body: texts(), redirect: 'manual' });
      if (answer.ok) {
        field('version').value = await answer.text();
        said.textContent = `Draft saved at ${new Date().toLocaleTimeString([], { timeStyle: 'short' })}`;
      } else if (answer.status === 409)
        said.textContent =
          'Draft not saved: you changed it in another window. “Save draft” shows both versions.';
      else said.textContent = 'Draft not saved. Press “Save draft” to see why.';
    } catch {
      isChanged = true;
      said.textContent = 'Draft not saved: Postroom cannot be reached.';
    }
  };
  const saveNow = () => {
    clearTimeout(idle);
    if (!isChanged || saving) return;
    saving = save().finally(() => {
      saving = undefined;
      if (isChanged) idle = setTimeout(saveNow, 5000);
    });
  };
  reply.addEventListener('input', ({ target }) => {
    if (target.name === 'files') return;
    isChanged = true;
    clearTimeout(idle);
    idle = setTimeout(saveNow, 2000);
  });
  // A button posts everything: it waits for a save that has begun, whose answer it needs.
  reply.addEventListener('submit', (event) => {
    clearTimeout(idle);
    if (saving) {
      event.preventDefault();
      saving.then(() => reply.requestSubmit(event.submitter));
    } else isChanged = false;
  });
  addEventListener('pagehide', () => {
    if (isChanged) navigator.sendBeacon(reply.dataset.draft, texts());
  });

  const attach = (event, files) => {
    if (!files || files.length === 0) return;
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...field('files').files, ...files]) all.items.add(file);
    field('files').files = all.files;
    reply.requestSubmit(reply.querySelector('button[value="attach"]'));
  };
  reply.addEventListener('dragover', (event) => {
    if (event.dataTransfer.types.includes('Files')) event.preventDefault();
  });
  reply.addEventListener('drop', (event) => attach(event, event.dataTransfer.files));
  reply.addEventListener('paste', (event) => attach(event, event.clipboardData.files));
}

// The state of an email that is about to leave: its seconds count down, and what the server says replaces it.
const MOST_REFRESHES = 30;
async function refreshDeliveries(count) {
  const moving = [...document.querySelectorAll('[data-delivery]')];
  if (moving.length === 0 || count > MOST_REFRESHES) return;
  try {
    const answer = await fetch(location.pathname);
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const old of moving) {
        const state = fresh.getElementById(old.id);
        // The button keeps its focus while nothing changes.
        if (state && !state.querySelector('time[data-seconds]')) old.replaceWith(state);
      }
    }
  } catch {
    // Asked again below.
  }
  setTimeout(refreshDeliveries, 4000, count + 1);
}
function countDown() {
  const waits = document.querySelectorAll('time[data-seconds]');
  for (const wait of waits) {
    const seconds = Math.max(0, Math.ceil((Date.parse(wait.dateTime) - Date.now()) / 1000));
    wait.textContent = seconds === 0 ? 'now' : `in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  }
  if (waits.length > 0) setTimeout(countDown, 1000);
}
if (document.querySelector('[data-delivery]')) {
  setTimeout(refreshDeliveries, 4000, 1);
  countDown();
}
