import { TASK_STORE_CONTRACT } from '@crosspoint/testkit'
import { test } from 'vitest'
import { createMemoryTaskStore } from './memory-store.ts'

test.each(TASK_STORE_CONTRACT)('the memory driver $title', ({ check }) => check(createMemoryTaskStore()))
