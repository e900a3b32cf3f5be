// Where main.cf and master.cf hold what no report may show.
import { secretSpans, secretValues } from '../../src/postfix/secrets.ts';
import { parseMainCf } from '../../src/postfix/syntax/main-cf.ts';
import { parseMasterCf } from '../../src/postfix/syntax/master-cf.ts';
import { SourceFile } from '../../src/text/source.ts';

const MAIN = `# my_password = old one
# password: older one
# the password is in the safe
smtp_sasl_password_maps = static:me:first
smtpd_banner = hello
  # ldap_bind_pw=forgotten one
  ldap_bind_pw = second one
virtual_alias_maps = mysql:{{user=me}, {password=third}}
my_secret fourth
 fifth
biff = no
`;

const MASTER = `# my_token = old
smtp unix - - n - - smtp
  -o smtp_sasl_password_maps=static:me:first
  -o my_password=second, third
  # -o my_password=fourth
x unix - n n - - pipe
  user=me argv=/bin/x password=fifth \${sender}
not_a_service my_password=sixth
my_secret seventh of main.cf, it is not a service, it is not
my_token eighth
`;

test('in main.cf', () => {
  const tree = parseMainCf(new SourceFile('main.cf', MAIN));
  const texts = (spans: ReturnType<typeof secretSpans>) =>
    spans.map((span) => tree.source.slice(span)).sort();
  const own = [' fourth\n fifth\n', 'second one', 'static:me:first', 'third}}'];
  // A comment within a value is a part of its place.
  expect(texts(secretValues(tree))).toEqual([...own, 'forgotten one'].sort());
  expect(texts(secretSpans(tree))).toEqual(
    [...own, 'forgotten one', 'forgotten one', 'old one', 'older one'].sort(),
  );
});

test('in master.cf', () => {
  const tree = parseMasterCf(new SourceFile('master.cf', MASTER));
  const texts = (spans: ReturnType<typeof secretSpans>) => [
    ...new Set(spans.map((span) => tree.source.slice(span))),
  ];
  expect(texts(secretValues(tree)).sort()).toEqual([
    ' eighth\n',
    ' seventh of main.cf, it is not a service, it is not\n',
    'fifth',
    'second',
    'second,',
    'second, third',
    'sixth',
    'static:me:first',
  ]);
  expect(texts(secretSpans(tree))).toEqual(expect.arrayContaining(['old', 'fourth']));
});
