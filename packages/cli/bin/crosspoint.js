#!/usr/bin/env node
// Committed, not built, so that npm can link the command before the first build.
import '../dist/bin.js'
