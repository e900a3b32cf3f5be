// Stands in for curl in the scripts of docs/logs-at-scale.md: answers as Loki and Elasticsearch do, for as much of
// their languages as the scripts use. PFHARDEN_LOG names the log that the database has.
import fs from 'node:fs';

const args = process.argv.slice(2);
const lines = fs
  .readFileSync(process.env.PFHARDEN_LOG ?? '', 'latin1')
  .split('\n')
  .filter((line) => line !== '');
const url = args.find((arg) => arg.startsWith('http')) ?? '';

/** @param {string} what is wrong: an answer that no database would give */
function refuse(what) {
  console.error(`curl: 400: ${what}`);
  process.exit(22);
}

/**
 * Counts lines by their fields.
 * @param {Record<string, string | null>[]} rows
 */
function counted(rows) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const row of rows) {
    const key = JSON.stringify(row);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, number]) => ({ row: JSON.parse(key), number }));
}

function loki() {
  /** @param {string} name */
  const value = (name) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  const [, by = '', pipeline = ''] =
    /^sum by \(([^)]*)\) \(count_over_time\(\{job="mail"\} ([^]*) \[1d\]\)\)$/.exec(value('query')) ??
    refuse('no query');
  const end = Date.parse(value('time'));
  let rows = lines
    .map((line) => ({ line, at: Date.parse(line.slice(0, line.indexOf(' '))), labels: {} }))
    .filter(({ at }) => at > end - 86_400_000 && at <= end);
  const stage = /^(\|=|\|~|!~|\| regexp|\| (\w+) !=) `([^`]*)` ?/;
  for (let rest = pipeline; rest !== ''; ) {
    const [all, kind = '', label = '', text = ''] = stage.exec(rest) ?? refuse(`no stage: ${rest}`);
    rest = rest.slice(all.length);
    const pattern = new RegExp(text.replaceAll('(?P<', '(?<'));
    if (kind === '|=') rows = rows.filter(({ line }) => line.includes(text));
    else if (kind === '|~') rows = rows.filter(({ line }) => pattern.test(line));
    else if (kind === '!~') rows = rows.filter(({ line }) => !pattern.test(line));
    else if (label !== '') rows = rows.filter(({ labels }) => (labels[label] ?? '') !== text);
    else for (const row of rows) row.labels = { ...pattern.exec(row.line)?.groups };
  }
  const names = by.split(', ');
  const result = counted(
    // A label that is empty is none.
    rows.map(({ labels }) =>
      Object.fromEntries(names.filter((name) => labels[name]).map((name) => [name, labels[name]])),
    ),
  ).map(({ row, number }) => ({ metric: row, value: [end / 1000, String(number)] }));
  return { status: 'success', data: { resultType: 'vector', result } };
}

function elastic() {
  const { query } = JSON.parse(fs.readFileSync(0, 'utf8'));
  const [from, ...commands] = query.split(/\n\| /);
  if (from !== 'FROM mail-*') refuse('no index');
  let rows = lines.map((line) => ({ '@timestamp': line.slice(0, 19), message: line }));
  let names = [];
  for (const command of commands) {
    const [, name, text] = /^(\w+) ([^]*)$/.exec(command) ?? refuse(command);
    if (name === 'WHERE') rows = rows.filter((row) => text.split(' AND ').every((term) => holds(term, row)));
    else if (name === 'EVAL') {
      const constants = [...text.matchAll(/(\w+) = "([^"]*)"/g)].map(([, column, constant]) => [
        column,
        constant,
      ]);
      rows = rows.map((row) => ({ ...row, ...Object.fromEntries(constants) }));
    } else if (name === 'GROK') {
      const [, pattern = ''] = /^message """([^]*)"""$/.exec(text) ?? refuse(text);
      const columns = [...pattern.matchAll(/\(\?<(\w+)>/g)].map(([, column]) => column);
      rows = rows.map((row) => {
        const groups = new RegExp(pattern).exec(row.message)?.groups ?? {};
        return { ...row, ...Object.fromEntries(columns.map((column) => [column, groups[column] ?? null])) };
      });
    } else if (name === 'STATS') {
      names = (/^sessions = COUNT\(\*\) BY (.*)$/.exec(text) ?? refuse(text))[1].split(', ');
      const unknown = rows.length > 0 && names.find((column) => !(column in rows[0]));
      if (unknown) refuse(`no column ${unknown}`);
    } else if (name !== 'LIMIT') refuse(command);
  }
  const values = counted(rows.map((row) => Object.fromEntries(names.map((column) => [column, row[column]]))));
  return {
    columns: ['sessions', ...names].map((name) => ({ name, type: name === 'sessions' ? 'long' : 'keyword' })),
    values: values.map(({ row, number }) => [number, ...names.map((column) => row[column])]),
  };
}

/**
 * @param {string} term of a WHERE
 * @param {Record<string, string | null>} row
 */
function holds(term, row) {
  const [, not = '', column = '', operator = '', text = ''] =
    /^(NOT )?(\S+) (LIKE|RLIKE|>=|<|IS NOT NULL)(?: "((?:[^"\\]|\\.)*)")?$/.exec(term) ?? refuse(term);
  const value = row[column] ?? null;
  const plain = text.replaceAll(/\\(.)/g, '$1');
  const wild = plain.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  const result =
    operator === 'IS NOT NULL'
      ? value !== null
      : operator === '>='
        ? `${value}Z` >= text
        : operator === '<'
          ? `${value}Z` < text
          : new RegExp(`^(?:${operator === 'LIKE' ? wild : plain})$`).test(value);
  return result !== (not !== undefined && not !== '');
}

console.log(JSON.stringify(url.includes('/loki/') ? loki() : elastic()));
