/* The listening socket of hbctl: made by the guardian as root, served by the engine. */
#pragma once

#include <sys/types.h>

#define CONTROL_SOCKET_NAME "hbd.sock"

/*
 * Listens on RUN_DIR/hbd.sock, mode 0660, of group gid if that is not -1. What a killed hbd left
 * there is replaced in one step; only a socket is. 0 with *ret_fd, or a negative errno: -ENOTSOCK
 * something else has the name, -ENAMETOOLONG run_dir is too long for a socket.
 */
int control_socket_open(const char *run_dir, gid_t gid, int *ret_fd);

/* Removes it from the file system. */
void control_socket_remove(const char *run_dir);
