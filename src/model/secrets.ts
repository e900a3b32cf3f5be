/** Names of settings whose values are secrets: passwords, keys, tokens. File names of keys are not secret. */
const SECRET_NAME =
  /(^|_)(password|passwd|passphrase|pass|pw|bindpw|bind_pw|secret|token|credentials?|nonce|api_?key)$/i;

/** Lookup tables written in place hold what they look up, which for passwords is the password. */
const IN_PLACE_TABLE = /(^|[\s,:])(static|inline):/i;
const PASSWORD_MAPS = /password_maps$/i;

/** True where the value of a setting must never be shown. */
export function isSecret(name: string, value: string): boolean {
  return SECRET_NAME.test(name) || (PASSWORD_MAPS.test(name) && IN_PLACE_TABLE.test(value));
}

/** The value, or a word in its place where it is a secret. */
export function shownValue(name: string, value: string): string {
  return value !== '' && isSecret(name, value) ? '(hidden)' : value;
}
