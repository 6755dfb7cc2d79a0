/* x */
#ifndef E_H
#define E_H
struct err_x;
#endif
