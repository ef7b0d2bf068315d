/* What scopefs-network gives up: everything but looking names up and moving bytes. */
#ifndef SCOPEFS_EXEC_NETWORK_CONFINE_H
#define SCOPEFS_EXEC_NETWORK_CONFINE_H

/* From here on nothing can be written to, made, executed or traced; files can be read, because name
 * services are configured by them, and sockets be made. 0, or -1 with errno. */
int network_confine(void);

/* For one connection that is made: nothing but moving its bytes. */
int network_confine_to_relay(void);

#endif
