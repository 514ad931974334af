#include "textflag.h"

// What an ASCII character is: 01 letter, digit or underscore, 02 letter, 04 mark,
// 08 white space, 10 space, 20 full stop.
DATA ascii<>+0(SB)/8, $0x0000000000000000
DATA ascii<>+8(SB)/8, $0x00000C0808080804
DATA ascii<>+16(SB)/8, $0x0000000000000000
DATA ascii<>+24(SB)/8, $0x0000000000000000
DATA ascii<>+32(SB)/8, $0x0000000000000018
DATA ascii<>+40(SB)/8, $0x0020040000000004
DATA ascii<>+48(SB)/8, $0x0101010101010101
DATA ascii<>+56(SB)/8, $0x0000000000000101
DATA ascii<>+64(SB)/8, $0x0303030303030304
DATA ascii<>+72(SB)/8, $0x0303030303030303
DATA ascii<>+80(SB)/8, $0x0303030303030303
DATA ascii<>+88(SB)/8, $0x0100000004030303
DATA ascii<>+96(SB)/8, $0x0303030303030304
DATA ascii<>+104(SB)/8, $0x0303030303030303
DATA ascii<>+112(SB)/8, $0x0303030303030303
DATA ascii<>+120(SB)/8, $0x0000000004030303
GLOBL ascii<>(SB), RODATA|NOPTR, $128
// What a continuation byte is, by its low six bits: 01 second byte of a capital
// (after D0), 02 of a space without break (after C2), 04 of a letter that Russian
// does not have (after D0), 08 of another one (after D1), 10 of "ы", "э", "ё"
// (after D1).
DATA second<>+0(SB)/8, $0x0404040404040104
DATA second<>+8(SB)/8, $0x0404140414040404
DATA second<>+16(SB)/8, $0x0909090909091109
DATA second<>+24(SB)/8, $0x0909090909090909
DATA second<>+32(SB)/8, $0x0101010101010103
DATA second<>+40(SB)/8, $0x0101010101010101
DATA second<>+48(SB)/8, $0x0000000000000000
DATA second<>+56(SB)/8, $0x0000000000000000
GLOBL second<>(SB), RODATA|NOPTR, $64

// Broadcasts a byte.
#define ALL(byte, z) \
	MOVL $byte, AX; \
	VPBROADCASTB AX, z

#define CONSTANTS \
	VMOVDQU64 ascii<>+0(SB), Z16; \
	VMOVDQU64 ascii<>+64(SB), Z17; \
	VMOVDQU64 second<>(SB), Z18; \
	ALL(0xC0, Z19); \
	ALL(0xD0, Z20); \
	ALL(0x01, Z24); \
	ALL(0x02, Z25); \
	ALL(0x04, Z26); \
	ALL(0x08, Z27); \
	ALL(0x10, Z28); \
	ALL(0x20, Z29); \
	MOVQ $-2, AX; \
	KMOVQ AX, K6; \
	XORL R8, R8; \
	XORL R9, R9; \
	XORL R10, R10; \
	XORL R11, R11

// Loads the next chunk, masked at the end of the text: Z0 the bytes, K7 which
// there are, K1 beyond ASCII, K3 continuations, Z1 what ASCII is, Z2 what
// continuations are, K4 and K5 free.
#define LOAD(whole, loaded) \
	CMPQ CX, $64; \
	JGE  whole; \
	MOVQ $-1, AX; \
	BZHIQ CX, AX, AX; \
	KMOVQ AX, K7; \
	VMOVDQU8.Z (SI), K7, Z0; \
	JMP loaded; \
whole: \
	KXNORQ K7, K7, K7; \
	VMOVDQU64 (SI), Z0; \
loaded: \
	VPMOVB2M Z0, K1; \
	KNOTQ K1, K2; \
	VMOVDQA64 Z0, Z1; \
	VPERMI2B.Z Z17, Z16, K2, Z1; \
	VPCMPB $1, Z19, Z0, K3; \
	VPERMB.Z Z18, Z0, K3, Z2

// Word, Stop, Capital, Pair, Initial. K0 is left as the spaces, K2 as the places
// behind D0, Z3 as the bytes before those of Z0; K4 and K5 free. K6 has the places
// of the chunk before which a byte stands that may be read: all but the text's
// first. R8 to R11 carry Word, the spaces that Pair wants, whether a word with a
// capital reaches the end, and capitals of the chunk before. A capital added to the bytes
// beyond ASCII that it stands among carries to the byte behind them.
#define STOPS \
	VPTESTMB Z24, Z1, K4; \
	KMOVQ K4, BX; \
	MOVQ BX, 0(DI); \
	MOVQ BX, AX; \
	SHLQ $1, R8, AX; \
	MOVQ BX, R8; \
	ANDNQ BX, AX, AX; \
	VPTESTMB Z26, Z1, K4; \
	KMOVQ K4, DX; \
	ORQ DX, AX; \
	MOVQ AX, 8(DI); \
	KANDQ K7, K6, K2; \
	KXNORQ K6, K6, K6; \
	VMOVDQU8.Z -1(SI), K2, Z3; \
	VPCMPEQB Z20, Z3, K2; \
	VPTESTMB Z24, Z2, K2, K4; \
	KMOVQ K4, BX; \
	MOVQ BX, 16(DI); \
	KMOVQ K1, DX; \
	NEGQ R10; \
	MOVQ BX, R10; \
	ADCQ DX, R10; \
	SBBQ AX, AX; \
	ANDNQ R10, DX, DX; \
	MOVQ AX, R10; \
	VPTESTMB Z28, Z1, K0; \
	KMOVQ K0, AX; \
	ANDQ AX, DX; \
	VPTESTMB Z25, Z2, K5; \
	KMOVQ K5, AX; \
	ORQ AX, DX; \
	MOVQ DX, AX; \
	SHLQ $2, R9, AX; \
	MOVQ DX, R9; \
	ANDQ BX, AX; \
	MOVQ AX, 24(DI); \
	ORQ AX, 8(DI); \
	MOVQ BX, DX; \
	SHLQ $1, R11, BX; \
	MOVQ DX, R11; \
	VPTESTMB Z29, Z1, K4; \
	KMOVQ K4, DX; \
	ANDQ BX, DX; \
	MOVQ DX, 32(DI); \
	ORQ DX, 8(DI)

// func classifyAVX512(dst *Chunk, p *byte, n int)
TEXT ·classifyAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ n+16(FP), CX
	CONSTANTS
chunk:
	LOAD(whole, loaded)
	STOPS
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $64, CX
	JGT  chunk
	VZEROUPPER
	RET

// func surveyAVX512(dst *Chunk, p *byte, n int, counts *[5]uint64)
TEXT ·surveyAVX512(SB), NOSPLIT, $32-32
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ n+16(FP), CX
	CONSTANTS
	ALL(0xD1, Z21)
	ALL(0xFE, Z22)
	ALL(0xD2, Z23)
	XORL R12, R12 // Russian
	XORL R13, R13 // Cyrillic
	XORL R14, R14 // Latin places of the chunk before
	XORL R15, R15 // whether a continuation ends it
	MOVQ R12, blank-8(SP)
	MOVQ R12, conts-16(SP)
	MOVQ R12, latin-24(SP)
	MOVQ R12, foreign-32(SP)
chunk:
	LOAD(whole, loaded)
	STOPS
	// foreign: some after D0 and D1, all after D2 and D3
	VPTESTMB Z26, Z2, K2, K4
	VPCMPEQB Z21, Z3, K5
	VPTESTMB Z27, Z2, K5, K2
	KORQ K2, K4, K4
	VPTESTMB Z28, Z2, K5, K5
	KMOVQ K5, DX
	POPCNTQ DX, DX
	ADDQ DX, R12
	VPANDQ Z22, Z3, Z3
	VPCMPEQB Z23, Z3, K2
	KORQ K2, K4, K4
	KMOVQ K4, BX
	POPCNTQ BX, BX
	ADDQ BX, foreign-32(SP)
	// Touch: a lead of Cyrillic behind Latin, or Latin behind a continuation
	VPANDQ Z22, Z0, Z3
	VPCMPEQB Z20, Z3, K5
	KMOVQ K5, BX
	POPCNTQ BX, AX
	ADDQ AX, R13
	VPTESTMB Z25, Z1, K4
	KMOVQ K4, AX
	MOVQ AX, DX
	SHLQ $1, R14, DX
	MOVQ AX, R14
	ANDQ BX, DX
	POPCNTQ AX, BX
	ADDQ BX, latin-24(SP)
	KMOVQ K3, BX
	LEAQ (R15)(BX*2), R15
	ANDQ R15, AX
	ORQ AX, DX
	MOVQ DX, 56(DI)
	MOVQ BX, R15
	SHRQ $63, R15
	POPCNTQ BX, BX
	ADDQ BX, conts-16(SP)
	// Blank and Untidy
	VPTESTMB Z27, Z1, K4
	KMOVQ K4, AX
	MOVQ AX, 40(DI)
	MOVQ blank-8(SP), DX
	MOVQ AX, BX
	SHLQ $1, DX, BX
	MOVQ AX, blank-8(SP)
	ANDQ AX, BX
	KMOVQ K0, DX
	ANDNQ AX, DX, DX
	ORQ DX, BX
	MOVQ BX, 48(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $64, CX
	JGT  chunk
	MOVQ counts+24(FP), DI
	MOVQ conts-16(SP), AX
	MOVQ AX, 0(DI)
	MOVQ latin-24(SP), AX
	MOVQ AX, 8(DI)
	MOVQ R13, 16(DI)
	MOVQ foreign-32(SP), AX
	MOVQ AX, 24(DI)
	MOVQ R12, 32(DI)
	VZEROUPPER
	RET


// The tables of validAVX2.
#define TABLE16(name, lo, hi) \
	DATA name<>+0(SB)/8, $lo; DATA name<>+8(SB)/8, $hi; \
	GLOBL name<>(SB), RODATA|NOPTR, $16

TABLE16(first_high, 0x0202020202020202, 0x4915012180808080)
TABLE16(first_low, 0xCBCBCB8B8383A3E7, 0xCBCBDBCBCBCBCBCB)
TABLE16(second_high, 0x0101010101010101, 0x01010101BABAAEE6)

// Where a chunk holds nothing but ASCII and characters of two bytes, as Russian
// does, its continuations must be what follows its leads; others are looked up as
// in validAVX2.
//
// func indexAVX512(dst *uint64, p *byte, n int) bool
TEXT ·indexAVX512(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ n+16(FP), CX
	ALL(0x20, Z27)
	ALL(0x22, Z28)
	ALL(0x5C, Z29)
	VBROADCASTI32X4 first_high<>(SB), Z16
	VBROADCASTI32X4 first_low<>(SB), Z17
	VBROADCASTI32X4 second_high<>(SB), Z18
	ALL(0x0F, Z19)
	ALL(0x60, Z20)
	ALL(0x70, Z21)
	ALL(0x80, Z22)
	ALL(0xC2, Z23)
	ALL(0x1D, Z24)
	ALL(0xC0, Z25)
	ALL(0xE0, Z26)
	VPXORQ Z7, Z7, Z7 // the chunk before
	VPXORQ Z8, Z8, Z8 // errors
	XORL R8, R8       // leads of two bytes in the chunk before
	XORL R9, R9       // whether a longer character, or what is no lead, may be at its end
next:
	VMOVDQU64 (SI), Z0
	VPCMPUB $1, Z27, Z0, K4
	VPCMPEQB Z28, Z0, K5
	VPCMPEQB Z29, Z0, K6
	KORQ K4, K5, K4
	KORQ K4, K6, K4
	KMOVQ K4, (DI)
	ADDQ $8, DI
	VPMOVB2M Z0, K1
	VPSUBB Z23, Z0, Z1
	VPCMPUB $2, Z24, Z1, K2 // C2 to DF
	VPCMPB $1, Z25, Z0, K3  // 80 to BF
	KMOVQ K1, AX
	KMOVQ K2, BX
	KMOVQ K3, R10
	MOVQ BX, DX
	SHLQ $1, R8, DX
	MOVQ BX, R8
	XORQ R10, DX
	ORQ R10, BX
	XORQ AX, BX
	ORQ R9, DX
	ORQ BX, DX
	JNZ  lookup
forward:
	VMOVDQA64 Z0, Z7
	ADDQ $64, SI
	SUBQ $64, CX
	JGT  next
	VPTESTMB Z8, Z8, K1
	KORTESTQ K1, K1
	SETEQ ret+24(FP)
	VZEROUPPER
	RET
lookup:
	VALIGNQ $6, Z7, Z0, Z9
	VPALIGNR $15, Z9, Z0, Z1
	VPSRLW $4, Z1, Z2
	VPANDQ Z19, Z2, Z2
	VPSHUFB Z2, Z16, Z2
	VPANDQ Z19, Z1, Z3
	VPSHUFB Z3, Z17, Z3
	VPANDQ Z2, Z3, Z2
	VPSRLW $4, Z0, Z3
	VPANDQ Z19, Z3, Z3
	VPSHUFB Z3, Z18, Z3
	VPANDQ Z2, Z3, Z2
	VPALIGNR $14, Z9, Z0, Z1
	VPSUBUSB Z20, Z1, Z1
	VPALIGNR $13, Z9, Z0, Z3
	VPSUBUSB Z21, Z3, Z3
	VPORQ Z1, Z3, Z1
	VPANDQ Z22, Z1, Z1
	VPXORQ Z1, Z2, Z2
	VPORQ Z2, Z8, Z8
	VPCMPUB $5, Z26, Z0, K1 // E0 and above
	KMOVQ K1, R9
	SHRQ $61, R9
	VPCMPUB $5, Z25, Z0, K1 // C0 and above: C0 and C1 are no lead, which what is behind them tells
	KMOVQ K1, AX
	SHRQ $63, AX
	ORQ AX, R9
	JMP  forward

// Whether an ASCII character is a sign that may end a word.
DATA signs<>+32(SB)/8, $0x0000000000000100
DATA signs<>+40(SB)/8, $0x0001000100000000
DATA signs<>+56(SB)/8, $0x0100000001010000
GLOBL signs<>(SB), RODATA|NOPTR, $256
DATA wordK<>+0(SB)/8, $0xE7037ED1A0B428DB
DATA wordK<>+8(SB)/8, $0x8EBC6AF09C88C6E3
DATA wordK<>+16(SB)/8, $0x589965CC75374CC3
DATA wordK<>+24(SB)/8, $0x1D8E4E27C47D124F
GLOBL wordK<>(SB), RODATA|NOPTR, $32

// Adds the products of the piece in Y0 to R12.
#define PIECE \
	VPMULLQ Y16, Y0, Y0; \
	VEXTRACTI128 $1, Y0, X1; \
	VPADDQ X1, X0, X0; \
	VPSHUFD $0xEE, X0, X1; \
	VPADDQ X1, X0, X0; \
	VMOVQ X0, AX; \
	ADDQ AX, R12

// func wordsAVX512(dst *uint64, p *byte, chunks *Chunk, n int) (words, from int)
TEXT ·wordsAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ chunks+16(FP), BX
	MOVQ n+24(FP), CX
	VMOVDQU64 wordK<>(SB), Y16
	LEAQ signs<>(SB), R9
	MOVQ $-1, R10
	XORL R8, R8 // where the word begins
	XORL R14, R14 // the chunk's first byte
chunk:
	MOVQ 40(BX), DX // Blank
	TESTQ DX, DX
	JZ   next
word:
	MOVQ  R8, R13
	TZCNTQ DX, R11
	BLSRQ DX, DX
	ADDQ  R14, R11
	LEAQ  1(R11), R8
	MOVBLZX -1(SI)(R11*1), R15
	MOVBLZX (R9)(R15*1), R15
	SUBQ  R13, R11 // how long it is
	JZ    more
	XORL  AX, AX
	CMPQ  R11, $1
	CMOVQEQ AX, R15
	SUBQ  R15, R11
	ADDQ  SI, R13
	MOVQ  $0xD6E8FEB86659FD93, R12
	IMULQ R11, R12
last:
	CMPQ R11, $32
	JGT  long
	BZHIQ R11, R10, AX
	KMOVQ AX, K1
	VMOVDQU8.Z (R13), K1, Y0
	PIECE
	MOVQ R12, (DI)
	ADDQ $8, DI
more:
	TESTQ DX, DX
	JNZ  word
next:
	ADDQ $64, R14
	ADDQ $64, BX
	DECQ CX
	JNZ  chunk
	SUBQ dst+0(FP), DI
	SHRQ $3, DI
	MOVQ DI, words+32(FP)
	MOVQ R8, from+40(FP)
	VZEROUPPER
	RET
long:
	VMOVDQU (R13), Y0
	PIECE
	MOVQ $0x9E3779B97F4A7C15, AX
	IMULQ AX, R12
	ADDQ $32, R13
	SUBQ $32, R11
	JMP  last

// Of a run of white space the first byte is kept, as a space, and the others are
// compressed away. Up to 64 bytes behind the end are written.
//
// func tidyAVX512(dst, p *byte, chunks *Chunk, n int) int
TEXT ·tidyAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ chunks+16(FP), BX
	MOVQ n+24(FP), CX
	ALL(0x20, Z16)
	XORL R8, R8 // white space of the chunk before
chunk:
	MOVQ $-1, R10
	CMPQ CX, $64
	JGE  whole
	BZHIQ CX, R10, R10
whole:
	KMOVQ R10, K7
	VMOVDQU8.Z (SI), K7, Z0
	MOVQ 48(BX), AX // Untidy
	KMOVQ AX, K1
	VMOVDQU8 Z16, K1, Z0
	MOVQ 40(BX), AX // Blank
	MOVQ AX, DX
	SHLQ $1, R8, DX
	MOVQ AX, R8
	ANDQ AX, DX // behind another
	ANDNQ R10, DX, DX
	KMOVQ DX, K2
	VPCOMPRESSB.Z Z0, K2, Z1
	VMOVDQU64 Z1, (DI)
	POPCNTQ DX, DX
	ADDQ DX, DI
	ADDQ $64, SI
	ADDQ $64, BX
	SUBQ $64, CX
	JGT  chunk
	SUBQ dst+0(FP), DI
	MOVQ DI, ret+32(FP)
	VZEROUPPER
	RET
