#include "worker/charset/index_corrections.h"

namespace trawl {
namespace {

// ICU has no ISO-8859-16: this is what it has other than ISO-8859-1.
constexpr IndexCorrection kIso8859_16[] = {
    {33, 0x104, 2}, {35, 0x141},  {36, 0x20AC},   {37, 0x201E}, {38, 0x160},    {40, 0x161},
    {42, 0x218},    {44, 0x179},  {46, 0x17A, 2}, {50, 0x10C},  {51, 0x142},    {52, 0x17D},
    {53, 0x201D},   {56, 0x17E},  {57, 0x10D},    {58, 0x219},  {60, 0x152, 2}, {62, 0x178},
    {63, 0x17C},    {67, 0x102},  {69, 0x106},    {80, 0x110},  {81, 0x143},    {85, 0x150},
    {87, 0x15A},    {88, 0x170},  {93, 0x118},    {94, 0x21A},  {99, 0x103},    {101, 0x107},
    {112, 0x111},   {113, 0x144}, {117, 0x151},   {119, 0x15B}, {120, 0x171},   {125, 0x119},
    {126, 0x21B},
};
// ICU has two box-drawing characters of RFC 2319's table, the standard Belarusian's short u.
constexpr IndexCorrection kKoi8U[] = {{0x2E, 0x45E}, {0x3E, 0x40E}};
// ICU has characters for private use, which the standard has not.
constexpr IndexCorrection kWindows874[] = {{0x5B, 0, 4}, {0x7C, 0, 4}};
constexpr IndexCorrection kWindows1253[] = {{0x2A, 0}};
constexpr IndexCorrection kWindows1255[] = {{0x4A, 0x5BA}};

constexpr IndexCorrection kGb18030[] = {
    {6555, 0x3000},    {7182, 0xFE10},  {7183, 0xFE12},  {7184, 0xFE11},  {7185, 0xFE13, 4},
    {7201, 0xFE17, 2}, {7208, 0xFE19},  {23775, 0x9FB4}, {23783, 0x9FB5}, {23788, 0x9FB6, 2},
    {23795, 0x9FB8},   {23812, 0x9FB9}, {23829, 0x9FBA}, {23845, 0x9FBB},
};

constexpr IndexCorrection kBig5[] = {
    {1008, 0x9F97},  {1016, 0x9F96},     {1099, 0x31C0, 5}, {1105, 0x31C5},    {1108, 0x31C6, 2},
    {1112, 0x31C8},  {1114, 0x31C9, 4},  {1119, 0x31CD, 2}, {1170, 0x23DA, 2}, {1730, 0x9FA6},
    {1772, 0x9FA7},  {1779, 0x9FA8},     {1812, 0x9FA9},    {1814, 0x9FAA},    {1816, 0x9FAB},
    {1821, 0x9FAC},  {1844, 0x9FAD, 2},  {1847, 0x9FAF},    {1866, 0x9FB2},    {1892, 0x9FB3},
    {2082, 0x7BB8},  {2088, 0x7C06},     {2103, 0x7CCE},    {2114, 0x7DD2},    {2123, 0x7E1D},
    {2148, 0x8005},  {2151, 0x8028},     {2221, 0x83C1},    {2239, 0x84A8},    {2244, 0x840F},
    {2303, 0x89A6},  {2304, 0x89A9},     {2354, 0x8D77},    {2400, 0x90FD},    {2413, 0x92B9},
    {2477, 0x975C},  {2498, 0x97FF},     {2605, 0x9F16},    {2673, 0x8503},    {2746, 0x5159},
    {2747, 0x515B},  {2748, 0x515D, 2},  {2771, 0x936E},    {2780, 0x7479},    {2990, 0x6D67},
    {3087, 0x799B},  {3259, 0x9097},     {3301, 0x975D},    {3436, 0x701E},    {3451, 0x5B28},
    {4136, 0x7201},  {4138, 0x77D7},     {4141, 0x7E87},    {4182, 0x99D6},    {4206, 0x91D4},
    {4220, 0x60DE},  {4230, 0x6FB6},     {4241, 0x8F36},    {4258, 0x4FBB},    {4273, 0x71DF},
    {4279, 0x9104},  {4282, 0x9DF0},     {4294, 0x83CF},    {4329, 0x5C10},    {4330, 0x79E3},
    {4349, 0x5A67},  {4419, 0x8F0B},     {4422, 0x7B51},    {4494, 0x62D0},    {4624, 0x6062},
    {4694, 0x75F9},  {4708, 0x6C4A},     {4742, 0x9B2E},    {4748, 0x9F17},    {4815, 0x50ED},
    {4828, 0x5F0C},  {4902, 0x880F},     {4922, 0x62CE},    {4982, 0x7468},    {4992, 0x7162},
    {4997, 0x7250},  {5432, 0x2400, 32}, {5464, 0x2421},    {10942, 0x5EF4},   {10946, 0x65E0},
    {10948, 0x7676}, {10950, 0x96B6},    {10957, 0x3003},   {10958, 0x4EDD},   {11204, 0x31CF},
    {11210, 0x9FB0}, {11212, 0x9FB1},    {19028, 0x5029},   {19035, 0x507D},   {19088, 0x5305},
    {19096, 0x5344}, {19112, 0x537F},    {19162, 0x5605},   {19240, 0x5A77},   {19299, 0x5E75},
    {19305, 0x5ED0}, {19326, 0x5F58},    {19355, 0x60A4},   {19398, 0x6490},   {19439, 0x6674},
    {19454, 0x675E}, {19553, 0x6C9C},    {19554, 0x6E1D},   {19557, 0x6E2F},   {19611, 0x716E},
    {19643, 0x732A}, {19672, 0x745C},    {19697, 0x74E9},   {19748, 0x7809},
};

}  // namespace

std::span<const IndexCorrection> SingleByteCorrections(std::string_view encoding) {
  if (encoding == "iso-8859-16") return kIso8859_16;
  if (encoding == "koi8-u") return kKoi8U;
  if (encoding == "windows-874") return kWindows874;
  if (encoding == "windows-1253") return kWindows1253;
  if (encoding == "windows-1255") return kWindows1255;
  return {};
}

std::span<const IndexCorrection> Gb18030Corrections() { return kGb18030; }

std::span<const IndexCorrection> Big5Corrections() { return kBig5; }

}  // namespace trawl
