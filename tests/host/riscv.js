'use strict';
// Preloaded into a wrapper: the machine is one that there is no program for.
Object.defineProperty(process, 'arch', { value: 'riscv64' });
