// Runs in the head of a page: the theme that was chosen last is there before anything is drawn.
(() => {
  const { classList, dataset } = document.documentElement;
  classList.add('js');
  try {
    const theme = localStorage.getItem('pfharden-theme');
    if (theme === 'dark' || theme === 'light') dataset.theme = theme;
  } catch {
    // A browser that keeps nothing for this page: the theme of the system it is.
  }
})();
