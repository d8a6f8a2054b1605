import { forbidOutside } from './forbid-outside.ts';

forbidOutside();
