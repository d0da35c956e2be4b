/* What the emulated camera is made to do.
 *
 *   film play DEVICE WIDTH HEIGHT FILE   plays one picture, YUYV, into an output until it is ended
 *   film set DEVICE NAME VALUE           sets a control by its name
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFERS 4

static int fails(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

static int set(int fd, const char *name, int value)
{
	struct v4l2_queryctrl found = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	while (!ioctl(fd, VIDIOC_QUERYCTRL, &found)) {
		if (!strcmp((char *)found.name, name)) {
			struct v4l2_control control = { .id = found.id, .value = value };

			return ioctl(fd, VIDIOC_S_CTRL, &control) ? fails(name) : 0;
		}
		found.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	fprintf(stderr, "no control %s\n", name);
	return 1;
}

static int play(int fd, int width, int height, const char *file)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
	struct v4l2_requestbuffers wanted = {
		.count = BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP,
	};
	int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	unsigned int i;

	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	if (ioctl(fd, VIDIOC_S_FMT, &format))
		return fails("format");
	if ((int)format.fmt.pix.width != width || (int)format.fmt.pix.height != height) {
		fprintf(stderr, "plays %ux%u only\n", format.fmt.pix.width, format.fmt.pix.height);
		return 1;
	}
	if (ioctl(fd, VIDIOC_REQBUFS, &wanted))
		return fails("buffers");
	for (i = 0; i < wanted.count; i++) {
		struct v4l2_buffer buffer = {
			.index = i, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP,
		};
		FILE *from = fopen(file, "rb");
		char *to;

		if (!from)
			return fails(file);
		if (ioctl(fd, VIDIOC_QUERYBUF, &buffer))
			return fails("buffer");
		to = mmap(NULL, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, buffer.m.offset);
		if (to == MAP_FAILED)
			return fails("memory");
		if (fread(to, 2 * width, height, from) != (size_t)height)
			return fails("picture");
		fclose(from);
		buffer.bytesused = 2 * width * height;
		if (ioctl(fd, VIDIOC_QBUF, &buffer))
			return fails("queue");
	}
	if (ioctl(fd, VIDIOC_STREAMON, &type))
		return fails("stream");
	for (;;) {
		struct v4l2_buffer buffer = {
			.type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP,
		};

		/* The picture stays in it. */
		if (ioctl(fd, VIDIOC_DQBUF, &buffer))
			return fails("picture shown");
		buffer.bytesused = 2 * width * height;
		if (ioctl(fd, VIDIOC_QBUF, &buffer))
			return fails("picture again");
	}
}

int main(int count, char **words)
{
	int fd = count > 2 ? open(words[2], O_RDWR) : -1;

	if (fd < 0)
		return fails(count > 2 ? words[2] : "film");
	if (count == 5 && !strcmp(words[1], "set"))
		return set(fd, words[3], atoi(words[4]));
	if (count == 6 && !strcmp(words[1], "play"))
		return play(fd, atoi(words[3]), atoi(words[4]), words[5]);
	fprintf(stderr, "film: unknown words\n");
	return 1;
}
