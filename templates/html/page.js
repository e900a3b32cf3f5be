// What every page does: light or dark, remembered, and for paper everything opened but what is .unprinted.
(() => {
  const root = document.documentElement;
  const button = document.getElementById('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const show = () => button.setAttribute('aria-pressed', String(isDark()));
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    try {
      localStorage.setItem('pfharden-theme', root.dataset.theme);
    } catch {
      // Then it lasts as long as the page.
    }
    show();
  });
  system.addEventListener('change', show);
  show();
  button.hidden = false;

  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open], .unprinted)')];
    for (const each of closed) each.open = true;
  });
  addEventListener('afterprint', () => {
    for (const each of closed) each.open = false;
  });
})();
