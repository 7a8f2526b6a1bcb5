/**
 * What this machine has in the way of GPU drivers, as far as files tell. WebGPU itself says nothing
 * when it finds no adapter, so this is where the advice comes from.
 *
 * @module
 */

/** Driver files found on a Linux machine. */
export interface DriverFiles {
  /** Where the Vulkan loader is; undefined when it is missing. */
  readonly loader?: string;
  /** Names of the drivers registered with the loader, such as `lvp` for Mesa's CPU driver. */
  readonly drivers: string[];
  /** Version of Debian's or Ubuntu's mesa-vulkan-drivers. */
  readonly mesa?: string;
  /** Version of NVIDIA's kernel module. */
  readonly nvidia?: string;
}

/** Mesa's CPU driver of Debian 12 is a third as fast as the next ones. */
const SLOW_MESA = /^2[0-2]\./;

/** Looks for driver files; every one of them may be missing. */
export async function findDriverFiles(): Promise<DriverFiles> {
  const nvidia = await readText("/proc/driver/nvidia/version");
  return {
    loader: await findLoader(),
    drivers: await registeredDrivers(),
    mesa: await debianVersion("mesa-vulkan-drivers"),
    nvidia: nvidia?.match(/\b\d{3}\.\d+(\.\d+)?\b/)?.[0],
  };
}

/** How to get a Vulkan driver, in one sentence without its full stop. */
export function driverAdvice(files: DriverFiles): string {
  if (Deno.build.os !== "linux") {
    return "bring the system's graphics driver up to date";
  }
  if (files.nvidia && !files.drivers.includes("nvidia")) {
    return "an NVIDIA module is loaded but its Vulkan driver is not registered; install it, or in " +
      'a container add "graphics" to NVIDIA_DRIVER_CAPABILITIES';
  }
  return "start through ./run animate, or install libvulkan1 and mesa-vulkan-drivers (Debian, " +
    "Ubuntu), vulkan-loader and mesa-vulkan-drivers (Fedora) or vulkan-icd-loader and " +
    "vulkan-swrast (Arch)";
}

/** Whether Vulkan can answer; on other systems than Linux it need not. */
export function hasVulkan(files: DriverFiles): boolean {
  return Deno.build.os !== "linux" ||
    files.loader !== undefined && files.drivers.length > 0;
}

/** Whether the CPU driver in use is one that a newer one beats by far. */
export function isSlowDriver(adapter: string, files: DriverFiles): boolean {
  return /llvmpipe/i.test(adapter) && SLOW_MESA.test(files.mesa ?? "");
}

async function findLoader(): Promise<string | undefined> {
  const { arch } = Deno.build;
  for (
    const folder of [`/usr/lib/${arch}-linux-gnu`, "/usr/lib64", "/usr/lib"]
  ) {
    const path = `${folder}/libvulkan.so.1`;
    if (await exists(path)) return path;
  }
}

/** The loader's own rules: a list in the environment, else the files in its folders. */
async function registeredDrivers(): Promise<string[]> {
  const listed = Deno.env.get("VK_DRIVER_FILES") ??
    Deno.env.get("VK_ICD_FILENAMES");
  const paths = listed?.split(":").filter((path) => path !== "") ?? [
    ...await list("/usr/share/vulkan/icd.d"),
    ...await list("/etc/vulkan/icd.d"),
  ];
  const names = new Set<string>();
  for (const path of paths) {
    const name = path.replace(/^.*\//, "").replace(/_icd.*|\.json$/, "");
    if (await exists(path)) names.add(name);
  }
  return [...names].sort();
}

async function list(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => `${folder}/${name}`)
      .filter((path) => path.endsWith(".json"));
  } catch {
    return [];
  }
}

async function debianVersion(name: string): Promise<string | undefined> {
  const status = await readText("/var/lib/dpkg/status") ?? "";
  const entry = status.split("\n\n").find((text) =>
    text.startsWith(`Package: ${name}\n`) &&
    text.includes("\nStatus: install ok installed")
  );
  return entry?.match(/^Version: (.*)$/m)?.[1];
}

async function readText(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
