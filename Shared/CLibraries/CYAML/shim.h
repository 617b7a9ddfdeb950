#ifndef FARWATCH_CYAML_H
#define FARWATCH_CYAML_H
#include <yaml.h>
#endif
