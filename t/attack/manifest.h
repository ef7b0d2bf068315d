/*
 * What a tree of the source looks like, as text: one line per object with everything that an agent
 * could have changed in it. Two manifests of an unchanged tree are equal.
 */
#ifndef T_ATTACK_MANIFEST_H
#define T_ATTACK_MANIFEST_H

/* Names, types, modes, owners, links, sizes, times of change (not of access), contents, link
 * targets and user attributes of everything at and below the directory. The caller frees it; ends
 * the test when the tree cannot be read. */
char *manifest_take(int directory_fd);

/* Prints the lines in which two manifests differ, as comments. */
void manifest_tell(const char *before, const char *after);

#endif
