// Runs before the first paint, so that a dark page never flashes white. A classic script for that reason.
(() => {
  'use strict';
  const key = 'farwatch.theme';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemTheme = () => (system.matches ? 'dark' : 'light');

  // Storage may be forbidden by the browser; then a choice lasts as long as the page.
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (theme) => {
    try { theme ? localStorage.setItem(key, theme) : localStorage.removeItem(key); } catch { /* as said above */ }
  };

  function apply(theme) {
    document.documentElement.dataset.theme = theme;
    dispatchEvent(new Event('farwatch:theme'));
    const button = document.getElementById('theme');
    if (!button) return;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to the ${theme === 'dark' ? 'light' : 'dark'} theme`);
  }

  const choice = () => (['dark', 'light'].includes(stored()) ? stored() : systemTheme());
  apply(choice());
  system.addEventListener('change', () => apply(choice()));
  addEventListener('storage', (event) => { if (event.key === key) apply(choice()); });
  addEventListener('DOMContentLoaded', () => {
    apply(document.documentElement.dataset.theme);
    document.getElementById('theme').addEventListener('click', () => {
      const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
      // Choosing what the system has anyway means following the system again.
      store(next === systemTheme() ? null : next);
      apply(next);
    });
  });
})();
