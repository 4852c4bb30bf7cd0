import type { AdminDoor, AdminDoorOptions } from '../admin/open.ts'

export type { AdminDoor, AdminDoorOptions } from '../admin/open.ts'

/**
 * Opens the admin API of a gateway where `admin` of its configuration says. What it is made of is loaded now, and not before.
 * @throws {TypeError} for an address others can reach without a token or issuers
 * @throws the error of the system where an address that is configured cannot be had
 */
export async function openAdminDoor(options: AdminDoorOptions): Promise<AdminDoor> {
  const { openAdmin } = await import('../admin/open.ts')
  return openAdmin(options)
}
