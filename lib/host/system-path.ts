/** Where programs are looked for, whatever PATH we were called with: a hook's may be empty, a person's may hold anything. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
