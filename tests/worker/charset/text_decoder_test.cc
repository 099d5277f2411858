#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "common/utf8.h"
#include "worker/charset.h"
#include "worker/charset/encoding_table.h"

namespace trawl {
namespace {

using std::string_literals::operator""s;

const std::string R = "\uFFFD";

std::string Decode(std::string_view label, std::string_view bytes) {
  TextDecoder decoder(*Encoding::ForLabel(label));
  std::string text;
  decoder.Decode(bytes, text);
  decoder.Finish(text);
  return text;
}

std::string DecodeByteByByte(std::string_view label, std::string_view bytes) {
  TextDecoder decoder(*Encoding::ForLabel(label));
  std::string text;
  for (const char& byte : bytes) decoder.Decode({&byte, 1}, text);
  decoder.Finish(text);
  return text;
}

struct Case {
  std::string label, bytes, text;
};

void ExpectDecoded(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Decode(c.label, c.bytes), c.text)
        << c.label << " of " << testing::PrintToString(c.bytes);
    EXPECT_EQ(DecodeByteByByte(c.label, c.bytes), c.text) << c.label;
  }
}

TEST(TextDecoder, ReadsATextOfEachEncoding) {
  ExpectDecoded({
      {"utf-8", "a\u00E4\u20AC\U0001F600z", "a\u00E4\u20AC\U0001F600z"},
      {"utf-16be", "\0a\x20\xAC\xD8\x3D\xDE\0"s, "a\u20AC\U0001F600"},
      {"utf-16le", "a\0\xAC\x20\x3D\xD8\0\xDE"s, "a\u20AC\U0001F600"},
      {"ibm866", "\x8F\xE0\xA8\xA2\xA5\xE2", "Привет"},
      {"iso-8859-2",
       "\xB3\xF3"
       "d\xBC",
       "łódź"},
      {"iso-8859-3", "\xE6\xFD", "ĉŭ"},
      {"iso-8859-4", "\xEC\xF9", "ėų"},
      {"iso-8859-5", "\xBF\xE0\xD8", "При"},
      {"iso-8859-6", "\xD3\xE4", "سل"},
      {"iso-8859-7", "\xC5\xEB\xA4", "Ελ€"},
      {"iso-8859-8", "\xF9\xEC", "של"},
      {"iso-8859-8-i", "\xF9\xEC", "של"},
      {"iso-8859-10", "\xAA\xBA", "Šš"},
      {"iso-8859-13", "\xD0\xF0", "Šš"},
      {"iso-8859-14", "\xD0\xF0", "Ŵŵ"},
      {"iso-8859-15", "\xA4\xBC", "€Œ"},
      {"iso-8859-16", "\xAA\xBA\xA4\xDE", "Șș€Ț"},
      {"koi8-r", "\xF0\xD2\xC9", "При"},
      {"koi8-u", "\xF0\xA4\xAE\xBE", "ПєўЎ"},
      {"macintosh", "\x8A\xF0", "ä\uF8FF"},
      {"windows-874", "\xCA\xC7\x80", "สว€"},
      {"windows-1250", "\xB3\xF3\x9F", "łóź"},
      {"windows-1251", "\xCF\xF0\xE8", "При"},
      {"windows-1252", "\x93\xE4\x94\x80", "“ä”€"},
      {"windows-1253", "\xC5\xEB", "Ελ"},
      {"windows-1254", "\xDD\xFE", "İş"},
      {"windows-1255", "\xF9\xEC\xCA", "של\u05BA"},
      {"windows-1256", "\xD3\xE1", "سل"},
      {"windows-1257", "\xD0\xF0", "Šš"},
      {"windows-1258", "\xD2\xF5", "\u0309ơ"},
      {"x-mac-cyrillic", "\x8F\xF0\xFF", "Пр€"},
      {"gbk", "\xC4\xE3\xBA\xC3\x80", "你好€"},
      {"gb18030", "\xC4\xE3\x94\x39\xFC\x36\x81\x30\x81\x30", "你\U0001F600\u0080"},
      {"big5", "\xA7\x41\xA6\x6E", "你好"},
      {"euc-jp", "\xC6\xFC\xCB\xDC\x8E\xB1\x8F\xB0\xA1", "日本ｱ丂"},
      {"iso-2022-jp", "a\x1B$BF|K\\\x1B(Jb\\~\x1B(I1\x1B(Bc", "a日本b¥‾ｱc"},
      {"shift_jis", "\x93\xFA\x96\x7B\xB1\x5C\x7E\x80", "日本ｱ\\~\u0080"},
      {"euc-kr", "\xC7\xD1\x81\x41", "한갂"},
      {"x-user-defined", "a\x80\xFF", "a\uF780\uF7FF"},
      {"replacement", "abc", R},
      {"replacement", "", ""},
  });
}

TEST(TextDecoder, ReplacesBytesThatASingleByteEncodingLacks) {
  ExpectDecoded({
      {"windows-1252", "\x81\x8D\x8F\x90\x9D", "\u0081\u008D\u008F\u0090\u009D"},
      {"windows-874", "\xDB\xDC\xDD\xDE<\xFC\xFD\xFE\xFF", R + R + R + R + "<" + R + R + R + R},
      {"windows-1253", "\xAA\xD2\xFF<", R + R + R + "<"},
      {"windows-1255", "\xD9\xDA\xFB\xFC\xFF", R + R + R + R + R},
      {"windows-1257", "\xA1\xA5", R + R},
      {"iso-8859-3", "\xA5", R},
      {"iso-8859-6", "\xA1\xE3", R + "ك"},
  });
}

TEST(TextDecoder, GivesAsciiBackAfterALeadByteThatItDoesNotFit) {
  ExpectDecoded({
      {"shift_jis", "\x81<a", R + "<a"},
      {"shift_jis", "\x81\"a", R + "\"a"},
      {"euc-jp", "\xA4<a", R + "<a"},
      {"euc-jp", "\x8E<a\x8F<a", R + "<a" + R + "<a"},
      {"euc-jp", "\x8F\xB0<a", R + "<a"},
      {"euc-kr", "\xC7<a", R + "<a"},
      {"euc-kr", "\x81\x5B<", R + "[<"},  // a place without a character, and a "[" of its own
      {"big5", "\xA7<a", R + "<a"},
      {"big5", "\x87\x7F<", R + "\x7F<"},
      {"gbk", "\xC4<a", R + "<a"},
      {"gb18030", "\x81\x30<a", R + "0<a"},
      {"gb18030", "\x81\x30\x81<a", R + "0" + R + "<a"},
      {"iso-2022-jp", "\x1B<a", R + "<a"},
      {"iso-2022-jp", "\x1B$<a", R + "$<a"},
      // Not so between ASCII bytes that are halves of characters.
      {"iso-2022-jp", "\x1B$B<\n\x1B(B<", R + "<"},
      // What is not ASCII goes with the lead byte.
      {"shift_jis", "\x81\xFF<", R + "<"},
      {"euc-jp", "\xA4\x80<", R + "<"},
      {"euc-kr", "\xC7\xFF<", R + "<"},
      {"big5", "\xA7\x80<", R + "<"},
      {"gbk", "\xC4\xFF<", R + "<"},
  });
}

TEST(TextDecoder, ReplacesWhatIsNoCharacter) {
  ExpectDecoded({
      {"utf-8", "\xC3(\xE2\x82z\xED\xA0\x80\xFF", R + "(" + R + "z" + R + R + R + R},
      {"utf-8", "\xF0\x9F\x98\xF0\x9F\x98\x80", R + "\U0001F600"},
      {"shift_jis", "\xA0\xFD\xFE\xFF", R + R + R + R},
      {"euc-jp", "\x80\xA0\xFF", R + R + R},
      {"euc-kr", "\x80\xFF", R + R},
      {"big5", "\x80\xFF", R + R},
      {"gb18030", "\xFF\x84\x31\xA5\x30<", R + R + "<"},
      {"iso-2022-jp", "\x0E\x0F\x80\x1B(I\x60", R + R + R + R},
      {"iso-2022-jp", "\x1B$B\x1B(Ba", R + "a"},  // an escape sequence for nothing
      {"utf-16le",
       "\x3D\xD8"
       "a\0\0\xDE"s,
       R + "a" + R},
      {"utf-16le", "\x3D\xD8\x3D\xD8\0\xDE"s, R + "\U0001F600"},
  });
}

TEST(TextDecoder, ReplacesACharacterThatTheEndCutsOnce) {
  ExpectDecoded({
      {"utf-8", "a\xF0\x9F\x98", "a" + R},
      {"utf-16be", "\0a\0"s, "a" + R},
      {"utf-16be", "\0a\xD8\x3D"s, "a" + R},
      {"utf-16be", "\0a\xD8\x3D\xDE"s, "a" + R},
      {"shift_jis", "a\x81", "a" + R},
      {"euc-jp", "a\x8F\xB0", "a" + R},
      {"euc-kr", "a\x81", "a" + R},
      {"big5", "a\x81", "a" + R},
      {"gb18030", "a\x81\x30\x81", "a" + R},
      {"iso-2022-jp", "\x1B$BF", R},
      {"iso-2022-jp", "a\x1B", "a" + R},
      {"iso-2022-jp", "a\x1B$", "a" + R + "$"},
      {"iso-2022-jp", "\x1B$BF|\x1B$", "日" + R + R},
  });
}

TEST(TextDecoder, HasTheStandardsCharactersWhereIcuHasOthers) {
  ExpectDecoded({
      {"gb18030", "\xA3\xA0\xA6\xD9\xA6\xED\xFE\x59\xFE\xA0", "\u3000\uFE10\uFE18\u9FB4\u9FBB"},
      {"gb18030", "\x81\x35\xF4\x37\xAA\xA1", "\uE7C7\uE000"},
      {"big5", "\x88\x62\x88\x64\x88\xA3\x88\xA5",
       "\u00CA\u0304\u00CA\u030C\u00EA\u0304\u00EA\u030C"},
      {"big5", "\x87\xA4\x88\x40\x8E\x69\xA3\xC0\xA3\xE0\xC8\xA3",
       "\u9F97\u31C0\u7BB8\u2400\u2421\u9FB1"},
      {"big5", "\x81\x40<\xFA\x40", R + "@<\U00020547"},
      {"euc-kr", "\xC9\xA1<\xA2\xE6", R + "<€"},
      {"shift_jis", "\xF0\x40\xF9\xFC\x81\x60\x87\x40\xFA\x40", "\uE000\uE757～①ⅰ"},
      {"euc-jp", "\x8F\xF3\xA1<\xAD\xA1\xFC\xF1", R + "<①ⅰ"},
  });
}

/// Bytes that reach every state of a decoder.
std::string RandomBytes(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {
      "\x1B$B",           "\x1B(J",   "\x1B(I",   "\x1B(B", "\x1B", "\x1B$",
      "\x81\x30\x81\x30", "\x81\x30", "\xC4\xE3", "\x8F",   "\x8E", "\xF0\x9F\x98\x80",
      "\xE2\x82",         "\xD8\x3D", "\x3D\xD8", "<a>"};
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    if (random() % 2 == 0) {
      bytes += kPieces[random() % kPieces.size()];
    } else {
      bytes += static_cast<char>(random());
    }
  }
  return bytes;
}

TEST(TextDecoder, GivesTheSameValidTextForEveryCut) {
  std::mt19937 random(1);
  for (const EncodingInfo& encoding : EncodingTable()) {
    for (int i = 0; i < 100; ++i) {
      const std::string bytes = RandomBytes(random);
      const std::string text = Decode(encoding.name, bytes);
      ASSERT_EQ(ValidUtf8(text), text);
      ASSERT_LE(text.size(), 3 * bytes.size());
      ASSERT_EQ(DecodeByteByByte(encoding.name, bytes), text) << encoding.name;
      for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        TextDecoder decoder(*Encoding::ForLabel(encoding.name));
        std::string pieces;
        decoder.Decode(std::string_view(bytes).substr(0, cut), pieces);
        decoder.Decode(std::string_view(bytes).substr(cut), pieces);
        decoder.Finish(pieces);
        ASSERT_EQ(pieces, text) << encoding.name;
      }
    }
  }
}

TEST(PageDecoder, SniffsAndDropsTheByteOrderMarkForEveryCut) {
  const std::string meta = "<meta charset=koi8-r>\xF0";
  const std::string blanks(kSniffBytes, ' ');
  const struct {
    std::string header_label, page, text, name;
  } kCases[] = {
      {"", "", "", "windows-1252"},
      {"", "\xEF\xBB\xBF", "", "utf-8"},
      {"big5", "\xEF\xBB\xBFж", "ж", "utf-8"},
      {"", "\xEF\xBB\xBF\xEF\xBB\xBF", "\uFEFF", "utf-8"},
      {"",
       "\xFF\xFE"
       "a\0"s,
       "a", "utf-16le"},
      {"utf-8", "\xC3", R, "utf-8"},
      {"", meta, "<meta charset=koi8-r>П", "koi8-r"},
      {"", meta + blanks, "<meta charset=koi8-r>П" + blanks, "koi8-r"},
      {"", blanks + meta, blanks + "<meta charset=koi8-r>ð", "windows-1252"},
  };
  for (const auto& c : kCases) {
    for (const std::size_t piece_bytes : {1, 2, 3, 100, 1023, 1024, 1025, 100'000}) {
      PageDecoder decoder(c.header_label);
      std::string text;
      for (std::size_t at = 0; at < c.page.size(); at += piece_bytes) {
        decoder.Decode(std::string_view(c.page).substr(at, piece_bytes), text);
      }
      decoder.Finish(text);
      EXPECT_EQ(text, c.text);
      EXPECT_EQ(decoder.encoding()->name(), c.name);
    }
  }
}

}  // namespace
}  // namespace trawl
