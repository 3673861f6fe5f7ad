// What a page of the portal gains by script; without it everything can still be read and done.
"use strict";
