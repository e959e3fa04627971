'use strict';
// Preloaded into a wrapper: the program is started, and nothing is ever heard of it again.
const { EventEmitter } = require('node:events');
require('node:child_process').spawn = () => Object.assign(new EventEmitter(), { pid: process.pid });
