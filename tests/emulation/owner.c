/* Takes the display away for some seconds and paints it grey, as another program would.
 *
 * owner SECONDS: gives up the ownership held by file 3, which the service shares, opens the card
 * for itself, shows its own picture, and ends. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel's drm.h and drm_mode.h as far as they are needed: not every system installs them. */
struct resources {
  uint64_t pictures, crtcs, connectors, encoders;
  uint32_t picture_count, crtc_count, connector_count, encoder_count;
  uint32_t least_width, most_width, least_height, most_height;
};
struct mode {
  uint32_t clock;
  uint16_t width, across[4], height, down[4];
  uint32_t refresh, flags, type;
  char name[32];
};
struct crtc {
  uint64_t connectors;
  uint32_t connector_count, crtc, picture, x, y, gamma, mode_valid;
  struct mode mode;
};
struct memory {
  uint32_t height, width, bits, flags, handle, pitch;
  uint64_t size;
};
struct map {
  uint32_t handle, pad;
  uint64_t offset;
};
struct picture {
  uint32_t picture, width, height, pitch, bits, depth, handle;
};
#define SET_MASTER _IO('d', 0x1e)
#define DROP_MASTER _IO('d', 0x1f)
#define GET_RESOURCES _IOWR('d', 0xa0, struct resources)
#define GET_CRTC _IOWR('d', 0xa1, struct crtc)
#define SET_CRTC _IOWR('d', 0xa2, struct crtc)
#define ADD_PICTURE _IOWR('d', 0xae, struct picture)
#define CREATE_MEMORY _IOWR('d', 0xb2, struct memory)
#define MAP_MEMORY _IOWR('d', 0xb3, struct map)

static void ask(int card, unsigned long what, void *with, const char *name) {
  if (ioctl(card, what, with) != 0) {
    perror(name);
    exit(1);
  }
}

int main(int count, char **arguments) {
  uint32_t connectors[8] = {0}, crtcs[8] = {0};
  struct resources resources = {0};
  struct crtc crtc = {0};
  struct memory memory = {0};
  struct map map = {0};
  struct picture picture = {0};
  ask(3, DROP_MASTER, 0, "drop");
  int card = open("/dev/dri/card0", O_RDWR);
  ask(card, SET_MASTER, 0, "own");
  resources.connectors = (uintptr_t)connectors;
  resources.crtcs = (uintptr_t)crtcs;
  resources.connector_count = resources.crtc_count = 8;
  ask(card, GET_RESOURCES, &resources, "resources");
  crtc.crtc = crtcs[0];
  ask(card, GET_CRTC, &crtc, "crtc");
  memory.width = crtc.mode.width;
  memory.height = crtc.mode.height;
  memory.bits = 32;
  ask(card, CREATE_MEMORY, &memory, "memory");
  map.handle = memory.handle;
  ask(card, MAP_MEMORY, &map, "map");
  void *bytes = mmap(0, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)map.offset);
  if (bytes == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
  memset(bytes, 0x80, memory.size);
  picture.width = memory.width;
  picture.height = memory.height;
  picture.pitch = memory.pitch;
  picture.bits = 32;
  picture.depth = 24;
  picture.handle = memory.handle;
  ask(card, ADD_PICTURE, &picture, "picture");
  crtc.picture = picture.picture;
  crtc.connectors = (uintptr_t)connectors;
  crtc.connector_count = 1;
  crtc.mode_valid = 1;
  crtc.x = crtc.y = 0;
  ask(card, SET_CRTC, &crtc, "show");
  sleep(count > 1 ? (unsigned)atoi(arguments[1]) : 3);
  return 0;
}
