// Filters for findings: by severity, rule, host and text, kept in the address behind the #.
(() => {
  const hosts = [...document.querySelectorAll('.host')].map((element) => ({
    element,
    name: element.dataset.name,
    note: element.querySelector('.shown'),
    rules: [...element.querySelectorAll('.rule')].map((rule) => ({
      element: rule,
      severity: rule.dataset.severity,
      id: rule.dataset.rule,
      findings: [...rule.querySelectorAll('.finding')],
    })),
  }));
  // Of many hosts, only their names at first.
  const isMany = hosts.length > 5;
  if (isMany) for (const { element } of hosts) element.open = false;

  const form = document.querySelector('.filter');
  if (form === null) return;
  const output = form.querySelector('output');
  const severities = [...form.querySelectorAll('[name=severity]')];
  const total = hosts.reduce(
    (sum, { rules }) => sum + rules.reduce((all, { findings }) => all + findings.length, 0),
    0,
  );
  const texts = new Map();
  const textOf = (element) => {
    let text = texts.get(element);
    if (text === undefined) {
      text = element.textContent.toLowerCase();
      texts.set(element, text);
    }
    return text;
  };
  const few = (number, one) => `${number} ${number === 1 ? one : `${one}s`}`;

  /** What the form asks for; a control that is not there asks for nothing. */
  const wanted = () => ({
    severity: severities.filter(({ checked }) => checked).map(({ value }) => value),
    rule: form.elements.rule.value,
    host: form.elements.host?.value ?? '',
    changed: form.elements.changed?.checked ?? false,
    text: form.elements.text.value.trim().toLowerCase(),
  });

  const apply = () => {
    const { severity, rule, host, changed, text } = wanted();
    const isFiltered = severity.length < severities.length || changed || `${rule}${host}${text}` !== '';
    let shown = 0;
    const open = [];
    for (const { element, name, note, rules } of hosts) {
      let own = 0;
      let all = 0;
      for (const { element: section, severity: grave, id, findings } of rules) {
        const isWanted =
          severity.includes(grave) && (rule === '' || id === rule) && (host === '' || name === host);
        let here = 0;
        for (const finding of findings) {
          const isShown =
            isWanted &&
            (!changed || 'changed' in finding.dataset) &&
            (text === '' || textOf(finding).includes(text) || `${id} ${name}`.toLowerCase().includes(text));
          finding.hidden = !isShown;
          if (isShown) here++;
        }
        section.hidden = here === 0;
        own += here;
        all += findings.length;
      }
      element.hidden = isFiltered && own === 0 && host !== name;
      if (!element.hidden) open.push(element);
      note.hidden = own === all || element.hidden;
      note.textContent = note.hidden ? '' : `${own} of ${all} shown`;
      shown += own;
    }
    if (isFiltered && open.length <= 5) for (const element of open) element.open = true;
    output.textContent = isFiltered
      ? `${shown} of ${few(total, 'finding')} on ${few(open.length, 'host')}`
      : few(total, 'finding');
  };

  const isState = () => /^#(?:severity|rule|host|changed|text)=/.test(location.hash);
  const write = () => {
    const { severity, rule, host, changed } = wanted();
    const state = new URLSearchParams();
    if (severity.length < severities.length) state.set('severity', severity.join());
    if (rule !== '') state.set('rule', rule);
    if (host !== '') state.set('host', host);
    if (changed) state.set('changed', 'only');
    if (form.elements.text.value !== '') state.set('text', form.elements.text.value);
    const hash = state.size > 0 ? `#${state}` : '';
    // Without a filter, the address may name a place on the page.
    if (hash === location.hash || (hash === '' && !isState())) return;
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : hash);
  };

  const read = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    const severity = state.get('severity')?.split(',');
    for (const box of severities) box.checked = severity?.includes(box.value) ?? true;
    form.elements.rule.value = state.get('rule') ?? '';
    if (form.elements.host) form.elements.host.value = state.get('host') ?? '';
    if (form.elements.changed) form.elements.changed.checked = state.has('changed');
    form.elements.text.value = state.get('text') ?? '';
  };

  /** Shows what a link names: opens what it is folded into, and takes filters away that hide it. */
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target === null) return;
    if (target.closest('[hidden]') !== null) {
      form.reset();
      apply();
    }
    for (let each = target; each !== null; each = each.parentElement) if ('open' in each) each.open = true;
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  };
  const follow = () => {
    if (location.hash === '') return;
    if (!isState()) return reveal();
    read();
    apply();
  };

  let waiting = 0;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      write();
      apply();
    }, 150);
  };
  form.addEventListener('input', later);
  form.addEventListener('reset', later);
  form.addEventListener('submit', (event) => event.preventDefault());
  // In the list of rules at the top, a rule leads to its findings.
  for (const link of document.querySelectorAll('a[data-rule]')) {
    const { rule, severity } = link.dataset;
    link.href = `#${new URLSearchParams({ severity, rule })}`;
    link.addEventListener('click', () => form.scrollIntoView());
  }
  addEventListener('hashchange', follow);
  form.hidden = false;
  apply();
  follow();
})();
