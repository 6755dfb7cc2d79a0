/* SPDX-License-Identifier: Apache-2.0 */
#include "store/driver.h"
const struct driver_table driver_postgres = {0};
