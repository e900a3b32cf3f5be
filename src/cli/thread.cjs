// The start of dist/thread.js: a thread that works on hosts for the program that started it.
'use strict';
require('./pfharden.js').thread();
