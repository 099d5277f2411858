#include "worker/worker.h"

int main(int argc, char** argv) {
  trawl::TitleParser parser;
  return trawl::WorkerMain(argc, argv, parser);
}
